// Shows how far a command is whose parts have names: a bar on a terminal, nothing elsewhere.
import { Presets, SingleBar } from 'cli-progress';
import { BAR, type ProgressStream } from '../train/progress.ts';

export function bar(stream: ProgressStream): { update(done: number, total: number, what: string): void; stop(): void } {
  let shown: SingleBar | null = null;
  return {
    update(done, total, what) {
      if (!stream.isTTY) return;
      if (shown?.getTotal() !== total) {
        shown?.stop();
        shown = new SingleBar(
          {
            ...BAR,
            stream: stream as typeof process.stderr,
            clearOnComplete: true,
            format: '{bar} {percentage} %  {what}',
          },
          Presets.shades_classic,
        );
        shown.start(total, done, { what });
      }
      shown.update(done, { what });
    },
    stop() {
      shown?.update(shown.getTotal());
      shown?.stop();
    },
  };
}
