// The options of `npm run train`: their meaning, their defaults, and how they depend on each other.
import { formatOptions, oneOf, parseOptions, path, realNumber, usage, wholeNumber } from './args.ts';

const MAX_DIGITS = 500_000; // 1.6 GB of float32 images

const DEFAULTS = {
  model: 'cnn',
  epochs: 3,
  'batch-size': 64,
  optimizer: 'adam',
  lr: { adam: 0.003, sgd: 0.05 },
  schedule: 'linear',
  momentum: 0.9,
  seed: 1,
  'train-size': 20_000,
  'test-size': 4_000,
} as const;

const positive = realNumber('above 0', (value) => value > 0 && value < Infinity);
const fraction = realNumber('from 0, below 1', (value) => value >= 0 && value < 1);

const TABLE = {
  data: {
    ...path('a folder with the four files of MNIST'),
    placeholder: 'FOLDER',
    help: 'train on the MNIST files in this folder, plain or .gz (default: digits drawn by the program)',
  },
  'train-size': {
    ...wholeNumber(1, MAX_DIGITS),
    placeholder: 'N',
    help: `digits to train on (default: ${DEFAULTS['train-size']}; with --data, all)`,
  },
  'test-size': {
    ...wholeNumber(1, MAX_DIGITS),
    placeholder: 'N',
    help: `digits to test on, none of them trained on (default: ${DEFAULTS['test-size']}; with --data, all)`,
  },
  model: {
    ...oneOf('cnn', 'mlp'),
    placeholder: 'NAME',
    help: `cnn (two convolutions) or mlp (784-256-128-10) (default: ${DEFAULTS.model})`,
  },
  epochs: {
    ...wholeNumber(1),
    placeholder: 'N',
    help: `how often to go through the training digits (default: ${DEFAULTS.epochs})`,
  },
  'batch-size': {
    ...wholeNumber(1),
    placeholder: 'N',
    help: `digits per step (default: ${DEFAULTS['batch-size']})`,
  },
  optimizer: {
    ...oneOf('sgd', 'adam'),
    placeholder: 'NAME',
    help: `sgd or adam (default: ${DEFAULTS.optimizer})`,
  },
  lr: {
    ...positive,
    placeholder: 'RATE',
    help: `learning rate (default: ${DEFAULTS.lr.adam} with adam, ${DEFAULTS.lr.sgd} with sgd)`,
  },
  schedule: {
    ...oneOf('constant', 'linear'),
    placeholder: 'NAME',
    help: `constant, or linear: the learning rate falls to 0 by the end (default: ${DEFAULTS.schedule})`,
  },
  momentum: {
    ...fraction,
    placeholder: 'M',
    help: `momentum of sgd (default: ${DEFAULTS.momentum})`,
  },
  seed: {
    ...wholeNumber(0),
    placeholder: 'N',
    help: `a number that repeats a whole run: digits, first weights, order (default: ${DEFAULTS.seed})`,
  },
  save: {
    ...path('the path of a file'),
    placeholder: 'FILE',
    help: `where to save the model (default: digits-MODEL.safetensors, e.g. digits-${DEFAULTS.model}.safetensors)`,
  },
};

export interface TrainOptions {
  /** Folder of MNIST, or null: draw digits. */
  readonly data: string | null;
  /** Null: all that the folder holds. */
  readonly trainSize: number | null;
  readonly testSize: number | null;
  readonly model: 'cnn' | 'mlp';
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'adam';
  readonly lr: number;
  readonly schedule: 'constant' | 'linear';
  readonly momentum: number;
  readonly seed: number;
  readonly save: string;
}

export const TRAIN_HELP = `Trains a network to read handwritten digits, tests it on digits it has not seen, and saves it.

  npm run train -- [options]

${formatOptions(TABLE)}
`;

/**
 * Reads the options of `npm run train` and fills in the defaults.
 *
 * @throws NablaError `option`
 */
export function parseTrainOptions(args: readonly string[]): TrainOptions | 'help' {
  const given = parseOptions(TABLE, args);
  if (given === 'help') return 'help';
  const { data = null, model = DEFAULTS.model, optimizer = DEFAULTS.optimizer } = given;
  if (given.momentum !== undefined && optimizer !== 'sgd') {
    throw usage(`--momentum ${given.momentum}: ${optimizer} has none; expected only with --optimizer sgd`);
  }
  const drawn = data === null;
  return {
    data,
    trainSize: given['train-size'] ?? (drawn ? DEFAULTS['train-size'] : null),
    testSize: given['test-size'] ?? (drawn ? DEFAULTS['test-size'] : null),
    model,
    epochs: given.epochs ?? DEFAULTS.epochs,
    batchSize: given['batch-size'] ?? DEFAULTS['batch-size'],
    optimizer,
    lr: given.lr ?? DEFAULTS.lr[optimizer],
    schedule: given.schedule ?? DEFAULTS.schedule,
    momentum: given.momentum ?? DEFAULTS.momentum,
    seed: given.seed ?? DEFAULTS.seed,
    save: given.save ?? `digits-${model}.safetensors`,
  };
}
