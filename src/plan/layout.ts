// Where and when each buffer of a plan lies in the arena, as plain data: what pictures of memory are drawn from.
import { refsOf } from './cost.ts';
import { type Buffer, padded } from './memory.ts';
import { OPCODE_NAMES, type Plan } from './plan.ts';

/** One buffer of the arena, live from instruction `first` to instruction `last`, both included. */
export interface PlannedBuffer {
  /** The ops whose results lie in it one after another; `argument k`; `scratch`. */
  name: string;
  kind: 'argument' | 'intermediate' | 'result' | 'scratch';
  /** Path of the layer that writes it, where there is one. */
  layer: string;
  /** Bytes it takes, padding included. */
  nBytes: number;
  /** Byte offset in the arena. */
  offset: number;
  first: number;
  last: number;
}

export interface MemoryPlan {
  arenaBytes: number;
  /** The first instruction at which most bytes are live, and how many. */
  peak: { instruction: number; nBytes: number };
  instructions: readonly { name: string; computes: string; layer: string }[];
  /** By offset, then by time. */
  buffers: readonly PlannedBuffer[];
}

/** `argument` tells which argument of a call a leaf is. */
export function memoryPlan(plan: Plan, argument: (leaf: number) => number): MemoryPlan {
  const end = plan.instructions.length - 1;
  const writers = writersOf(plan);
  const results = new Set(plan.outputs.map((o) => o.id));
  const buffers = plan.buffers.filter(liesInArena).map((buffer): PlannedBuffer => {
    const written = writers.get(buffer) ?? [];
    const isArgument = buffer.kind === 'leaf';
    const names = isArgument ? [`argument ${argument(buffer.index)}`] : written.map((w) => w.name);
    const isResult = written.some((w) => results.has(w.id));
    return {
      name: [...new Set(names)].join(' → ') || 'scratch',
      kind: isArgument
        ? 'argument'
        : isResult
          ? 'result'
          : names.every((n) => n === SCRATCH)
            ? 'scratch'
            : 'intermediate',
      layer: written[0]?.layer ?? '',
      nBytes: padded(buffer.nBytes),
      offset: buffer.offset,
      first: Math.max(buffer.first, 0),
      last: Math.min(buffer.last, end),
    };
  });
  return {
    arenaBytes: plan.arenaBytes,
    peak: peakOf(buffers, end),
    instructions: plan.instructions.map(({ opcode, computes, layer }) => ({
      name: OPCODE_NAMES.get(opcode) ?? '?',
      computes,
      layer,
    })),
    buffers: buffers.sort((a, b) => a.offset - b.offset || a.first - b.first),
  };
}

const SCRATCH = 'scratch';

/** What `makePlan` gives a place: a small leaf that nobody reads has one too. */
function liesInArena({ kind, offset, last }: Buffer): boolean {
  return offset >= 0 && (kind === 'leaf' || (kind === 'arena' && last >= 0));
}

/** The nodes that write each buffer, in the order they do. */
function writersOf({ instructions }: Plan): Map<Buffer, { id: number; name: string; layer: string }[]> {
  const names = new Map(instructions.flatMap(({ nodes }) => nodes.map(({ id, name }) => [id, name])));
  const writers = new Map<Buffer, { id: number; name: string; layer: string }[]>();
  for (const { words, layer } of instructions) {
    for (const { id, buffer, writes } of refsOf(words)) {
      const before = writers.get(buffer as Buffer) ?? [];
      if (!writes || before.some((w) => w.id === id)) continue;
      writers.set(buffer as Buffer, [...before, { id, name: names.get(id) ?? SCRATCH, layer }]);
    }
  }
  return writers;
}

function peakOf(buffers: readonly PlannedBuffer[], end: number): MemoryPlan['peak'] {
  const live = new Array<number>(end + 1).fill(0);
  for (const { first, last, nBytes } of buffers)
    for (let i = first; i <= last; i++) live[i] = (live[i] as number) + nBytes;
  const nBytes = Math.max(0, ...live);
  return { instruction: Math.max(0, live.indexOf(nBytes)), nBytes };
}
