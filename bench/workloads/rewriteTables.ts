// The tables of docs/rewrites.md: every rule with its phase and motive, and node counts, instructions and memory of
// training steps. Both depend on the code alone, so a test compares the page with them.
import { compile, type Explanation, explain, nn, optim, type Tensor } from '../../src/index.ts';
import { phases, type Rule } from '../../src/rewrite/index.ts';
import { cnn, mlp } from './models.ts';
import { residual } from './residual.ts';
import { Block } from './transformer.ts';
import { data, labels } from './workload.ts';

const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

// ---- rules

function remarks(rules: readonly Rule[]): string {
  const found: string[] = [];
  if (rules.some((r) => r.reassociates)) found.push('reassociates');
  if (rules.some((r) => r.forDerivatives)) found.push('before differentiation only');
  if (rules.some((r) => r.needed)) found.push('always on');
  return found.join(', ');
}

/** `|` would end a cell. */
const cell = (text: string) => text.replaceAll('|', '\\|');

/** One line a name: rules of one name are a family. */
export function ruleTable(): string {
  const rows = phases.flatMap(({ name, rules }) =>
    [...new Set(rules.map((r) => r.name))].map((rule) => {
      const family = rules.filter((r) => r.name === rule);
      const [motive, ...others] = new Set(family.map((r) => r.motive));
      return [name, `\`${cell(rule)}\``, cell([motive, ...others].join('; ')), remarks(family)];
    }),
  );
  return table(['phase', 'rule', 'the input, or the program, that it is for', ''], rows);
}

// ---- graphs

type Loss = (logits: Tensor, target: Tensor) => Tensor;

const byHand: Loss = (logits, target) => {
  const p = logits.exp().div(logits.exp().sum(-1, true));
  return p.log().mul(target).sum(-1).mean().neg();
};

interface Step {
  name: string;
  model: nn.Module;
  x: Tensor;
  y: Tensor;
  optimizer: (parameters: Tensor[]) => optim.Optimizer;
  loss?: Loss;
}

const sgd = (parameters: Tensor[]) => new optim.SGD(parameters, { lr: 0.1 });
const adam = (parameters: Tensor[]) => new optim.Adam(parameters, { lr: 1e-3 });
const SIZES = { batch: 8, tokens: 128, width: 128, heads: 4, hidden: 512, vocabulary: 64 };

const steps = (): Step[] => {
  const digits = { x: data(64, 784), y: labels(64, 10) };
  const tokens = { x: data(SIZES.batch, SIZES.tokens, SIZES.width), y: labels(SIZES.batch * SIZES.tokens, 64) };
  const perceptron = () => mlp(784, 256, 128, 10);
  return [
    { name: 'MLP 784-256-128-10, batch 64, SGD', model: perceptron(), ...digits, optimizer: sgd },
    {
      name: 'the same, softmax and loss by hand',
      model: perceptron(),
      x: digits.x,
      y: data(64, 10),
      optimizer: sgd,
      loss: byHand,
    },
    { name: 'CNN, batch 64, SGD', model: cnn(), x: data(64, 1, 28, 28), y: labels(64, 10), optimizer: sgd },
    {
      name: 'ResNet-like, 3 blocks of 16 channels, batch 16, SGD',
      model: residual(3, 16),
      x: data(16, 3, 32, 32),
      y: labels(16, 10),
      optimizer: sgd,
    },
    { name: 'transformer block, 8 × 128 tokens, Adam', model: new Block(SIZES), ...tokens, optimizer: adam },
  ];
};

function explained({ model, x, y, optimizer, loss = nn.crossEntropy }: Step, rewrites: boolean): Explanation {
  const stepper = optimizer(model.parameters());
  const step = compile(
    (input: Tensor, target: Tensor) => {
      const logits = model.forward(input) as Tensor;
      const value = loss(logits.reshape(-1, logits.shape.at(-1) as number), target);
      stepper.minimize(value);
      return value;
    },
    { rewrites },
  );
  return explain(step, x, y);
}

const mib = (nBytes: number) => (nBytes / 2 ** 20).toFixed(2);

/** Node counts on the way through the phases, instructions with and without, bytes of intermediates. */
export function graphTable(): string {
  const rows = steps().map((step) => {
    const [on, off] = [explained(step, true), explained(step, false)];
    const { arenaBytes, unsharedBytes } = on.memory;
    return [
      step.name,
      on.phases[0]?.nodesBefore ?? 0,
      ...phases.map(({ name }) => on.phases.findLast((phase) => phase.name === name)?.nodesAfter ?? 0),
      `${on.instructions} (${off.instructions})`,
      `${mib(arenaBytes)} of ${mib(unsharedBytes)} (${Math.round((100 * arenaBytes) / unsharedBytes)} %)`,
    ];
  });
  const phaseNames = phases.map((phase) => `after ${phase.name}`);
  return table(['step', 'nodes written', ...phaseNames, 'instructions (off)', 'peak MiB of all buffers'], rows);
}

/** The page with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce(
    (text, [name, content]) =>
      text.replace(
        new RegExp(`<!-- ${name} -->[^]*?<!-- /${name} -->`),
        () => `<!-- ${name} -->\n${content}\n<!-- /${name} -->`,
      ),
    page,
  );
}
