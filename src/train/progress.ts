// Shows how training gets on: a bar on a terminal, a line every tenth of an epoch elsewhere.
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  readonly batches: number;
  /** Mean per sample over this epoch so far. */
  readonly loss: number;
  /** Share of this epoch's samples so far that were recognised when they were trained on, from 0 to 1. */
  readonly accuracy: number;
  readonly samplesPerSecond: number;
  /** To the end of the last epoch. */
  readonly secondsLeft: number;
}

export interface ProgressReporter {
  /** Call after every batch. */
  update(progress: Progress): void;
  /** Ends the display; call it also when training ends early. */
  stop(): void;
}

/** What is written to: `process.stderr`, or a test's own; a terminal has all that Node's have. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Neither cursor nor line wrapping is switched off: work is synchronous, so after Ctrl-C nobody would restore it. */
export const BAR = { hideCursor: false, linewrap: true, barsize: 20 };
const LINES_PER_EPOCH = 10;

/** A bar if the stream is a terminal, else plain lines. */
export function progressReporter(stream: ProgressStream = process.stderr): ProgressReporter {
  return stream.isTTY ? barReporter(stream) : lineReporter(stream);
}

/** `loss 0.1234  accuracy 96.50 %  4210 samples/s  12 s left` */
export function formatProgress({ loss, accuracy, samplesPerSecond, secondsLeft }: Progress): string {
  return [
    `loss ${loss.toFixed(4)}`,
    `accuracy ${(100 * accuracy).toFixed(2)} %`,
    `${Math.round(samplesPerSecond)} samples/s`,
    `${formatSeconds(secondsLeft)} left`,
  ].join('  ');
}

/** `42 s`, `3 min 05 s`, `2 h 10 min` */
export function formatSeconds(seconds: number): string {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

function barReporter(stream: ProgressStream): ProgressReporter {
  const options = { ...BAR, stream: stream as typeof process.stderr };
  let bar: SingleBar | null = null;
  const stop = () => {
    bar?.stop();
    bar = null;
  };
  return {
    update(progress) {
      const text = formatProgress(progress);
      if (bar === null) {
        const format = `epoch ${progress.epoch}/${progress.epochs} {bar} {percentage} %  {text}`;
        bar = new SingleBar({ ...options, format }, Presets.shades_classic);
        bar.start(progress.batches, 0, { text });
      }
      bar.update(progress.batch, { text });
      if (progress.batch === progress.batches) stop();
    },
    stop,
  };
}

function lineReporter(stream: ProgressStream): ProgressReporter {
  return {
    update(progress) {
      const { epoch, epochs, batch, batches } = progress;
      const tenths = (done: number) => Math.floor((LINES_PER_EPOCH * done) / batches);
      if (tenths(batch) === tenths(batch - 1)) return;
      const percent = `${Math.floor((100 * batch) / batches)} %`.padStart(5);
      stream.write(`epoch ${epoch}/${epochs} ${percent}  ${formatProgress(progress)}\n`);
    },
    stop() {},
  };
}
