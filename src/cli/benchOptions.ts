// The options of `nabla bench`.
import { roundsFor } from '../bench/compare.ts';
import { flag, formatOptions, oneOf, parseOptions, path, realNumber, usage, wholeNumber } from './args.ts';

const DEFAULTS = { time: 1, 'warm-up': 0.2, threshold: 5, timeout: 60 } as const;
/** Of comparisons, where many short turns tell more than few long ones; and of everything with --quick. */
const SHORT = { time: 0.1, 'warm-up': 0.1 } as const;

const seconds = realNumber('above 0', (value) => value > 0 && value < Infinity);
const file = { ...path('the path of a file'), placeholder: 'FILE' };

const TABLE = {
  filter: { ...path('part of a name'), placeholder: 'TEXT', help: 'only the benchmarks whose names hold this' },
  threads: { ...wholeNumber(1, 63), placeholder: 'N', help: 'threads of nabla (default: what the machine has)' },
  simd: { ...oneOf('baseline', 'relaxed'), placeholder: 'NAME', help: 'kernels: baseline or relaxed' },
  quick: flag('shorter, and less certain'),
  counters: flag('only what does not depend on the clock: FLOPs, bytes, memory, instructions'),
  save: { ...file, help: 'write the result, raw samples included, as JSON' },
  compare: { ...file, help: 'compare with a result that --save wrote' },
  against: {
    ...path('a git revision'),
    placeholder: 'REV',
    help: 'compare with this git revision, both measured in turn',
  },
  build: {
    ...path('a shell command'),
    placeholder: 'COMMAND',
    help: 'builds that revision (default: npm ci && npm run build --if-present)',
  },
  threshold: {
    ...realNumber('from 0', (value) => value >= 0 && value < Infinity),
    placeholder: 'PERCENT',
    help: `smallest difference that counts (default: ${DEFAULTS.threshold})`,
  },
  force: flag('compare although machine, runtime or settings differ'),
  rounds: {
    ...wholeNumber(1, 1000),
    placeholder: 'N',
    help: `fresh processes of each side (default: 1; to save or compare, ${roundsFor(1)} or more)`,
  },
  time: {
    ...seconds,
    placeholder: 'SECONDS',
    help: `of timing in each process (default: ${DEFAULTS.time}; to save or compare, ${SHORT.time})`,
  },
  'warm-up': {
    ...seconds,
    placeholder: 'SECONDS',
    help: `before it (default: ${DEFAULTS['warm-up']}; to save or compare, ${SHORT['warm-up']})`,
  },
  timeout: {
    ...seconds,
    placeholder: 'SECONDS',
    help: `after which a benchmark counts as endless (default: ${DEFAULTS.timeout})`,
  },
  markdown: { ...file, help: 'write the comparison for a comment on a pull request' },
  dashboard: { ...file, help: 'write milliseconds as customSmallerIsBetter JSON' },
};

export interface BenchOptions {
  suite: string;
  filter: string;
  threads?: number;
  simd?: 'baseline' | 'relaxed';
  counters: boolean;
  save?: string;
  compare?: string;
  against?: string;
  build?: string;
  /** As a share: 0.05. */
  threshold: number;
  force: boolean;
  /** Null: as many as the number of benchmarks asks for. */
  rounds: number | null;
  time: number;
  warmUp: number;
  timeout: number;
  markdown?: string;
  dashboard?: string;
}

export const BENCH_HELP = `Measures a suite of benchmarks, and tells what got slower or faster.

  nabla bench SUITE [options]

SUITE is a JavaScript file: export default { 'train step': () => step(x, y), … }

${formatOptions(TABLE)}

Exit code: 0, 1 where a benchmark got slower (or, with --counters, a counter changed), 2 where the run is broken.
`;

/** @throws NablaError `option` */
export function parseBenchOptions(args: readonly string[]): BenchOptions | 'help' {
  const suites: string[] = [];
  const given = parseOptions(TABLE, args, (text) => suites.push(text));
  if (given === 'help') return 'help';
  const [suite, another] = suites;
  if (suite === undefined) throw usage('no suite given; expected a file: nabla bench suite.js');
  if (another !== undefined) throw usage(`${another}: unexpected argument; expected one suite`);
  if (given.compare !== undefined && given.against !== undefined) {
    throw usage('--compare and --against: expected one of them');
  }
  const compares = given.compare !== undefined || given.against !== undefined;
  if (given.markdown !== undefined && !compares) throw usage('--markdown: expected with --compare or --against');
  if (given.build !== undefined && given.against === undefined) throw usage('--build: expected with --against');
  const {
    quick = false,
    counters = false,
    force = false,
    filter = '',
    threshold,
    'warm-up': warmUp,
    ...others
  } = given;
  const isLong = compares || given.save !== undefined;
  const { time: shortTime, 'warm-up': shortWarmUp } = SHORT;
  return {
    ...others,
    suite,
    filter,
    counters,
    force,
    threshold: (threshold ?? DEFAULTS.threshold) / 100,
    rounds: given.rounds ?? (isLong ? null : 1),
    time: given.time ?? (quick || isLong ? shortTime : DEFAULTS.time),
    warmUp: warmUp ?? (quick || isLong ? shortWarmUp : DEFAULTS['warm-up']),
    timeout: given.timeout ?? DEFAULTS.timeout,
  };
}
