#!/usr/bin/env node
// The `nabla` command: the process around each of its subcommands.
import { serve } from '../bench/worker.ts';
import { runBench } from './runBench.ts';
import { runGraph } from './runGraph.ts';
import { runTrain } from './runTrain.ts';

const HELP = `nabla COMMAND [options]

  train   train a network to read handwritten digits
  bench   measure a suite of benchmarks, and compare it with a baseline or another git revision
  graph   draw the graph of a model or an expression, as SVG, DOT or text

nabla COMMAND --help explains the options.
`;

const output = { out: process.stdout, err: process.stderr };

const COMMANDS: Record<string, (args: string[]) => number | Promise<number>> = {
  train: (args) => runTrain(args, output),
  bench: (args) => runBench(args, output),
  graph: (args) => runGraph(args, output),
  /** The process that `bench` runs a suite in. */
  'bench-worker': async ([file]) => {
    await serve(file as string);
    return 0;
  },
};

const [name = '--help', ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command !== undefined) process.exitCode = await command(args);
else if (name === '--help' || name === '-h') process.stdout.write(HELP);
else {
  process.stderr.write(`nabla: ${name}: no such command\n\n${HELP}`);
  process.exitCode = 2;
}
