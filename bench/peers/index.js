// `npm run bench:peers`: nabla beside its peers on the same work, in turn, on this machine. README.md has the method.
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { memoryGrowth, startTimes } from './fresh.js';
import { installedSize, installPeers, nablaSize } from './install.js';
import { interleave } from './interleave.js';
import { HELP, parseOptions } from './options.js';
import { SideProcess } from './process.js';
import { report } from './report.js';
import { OURS, PEERS } from './sides.js';
import { summary } from './statistics.js';
import { firstStep, memoryLoops, workloads } from './workloads.js';

const ids = [...new Set([...workloads, ...memoryLoops, firstStep].map(({ id }) => id))];
const options = readOptions();
const chosen = [...OURS, ...PEERS.filter(({ name }) => options.peers.includes(name))];
const sides = chosen.flatMap((side) => {
  const counts = side.threads ? options.threads : [1];
  return counts.map((threads) => new SideProcess(side, threads));
});
if (!existsSync(new URL('../../build/nabla/index.js', import.meta.url))) {
  console.error('nabla is measured as it is built; run `npm run build` first');
  process.exit(2);
}
installPeers();
const found = { rates: await rateRows(), measures: await measureRows(), machine: machine(), options };
progress('');
console.log(report(found, sides));
if (options.json) writeFileSync(options.json, `${JSON.stringify(found, null, 1)}\n`);
process.exit();

function readOptions() {
  try {
    const parsed = parseOptions(process.argv.slice(2), { only: ids, peers: PEERS.map(({ name }) => name) });
    if (!parsed.help) return parsed;
    console.log(HELP);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
  process.exit();
}

function isChosen({ id }) {
  return options.only.includes(id);
}

/** A line that overwrites itself on a terminal, and is left out elsewhere. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function rateRows() {
  const rows = [];
  for (const workload of workloads.filter(isChosen)) {
    const { id, name, unit, flops } = workload;
    const able = sides.filter((side) => side.name !== 'limit' || flops !== null);
    const onTurn = (turn) => progress(`${id} ${name}: ${turn}`);
    rows.push({ id, name, unit, outcomes: await interleave(workload, able, { ...options, onTurn }) });
  }
  return rows;
}

/** W9 and W10, each side once, on as few threads as it was asked for. */
async function measureRows() {
  const able = chosen.filter(({ name }) => name !== 'limit');
  const once = able.map(({ name }) => sides.find((side) => side.name === name));
  const rows = [];
  for (const loop of memoryLoops.filter(isChosen)) {
    progress(`${loop.id} ${loop.name}`);
    rows.push({ id: loop.id, name: loop.name, unit: 'MB a step', outcomes: await memoryGrowth(loop, once) });
  }
  if (isChosen(firstStep)) {
    const { id, name } = firstStep;
    progress(`${id} ${name}`);
    rows.push({ id, name, unit: 'ms', outcomes: await startTimes(firstStep, once, options.rounds) });
    progress(`${id} installed`);
    rows.push({ id, name: 'installed', unit: 'MB', outcomes: installedSizes(once) });
  }
  return rows;
}

function installedSizes(once) {
  const outcomes = {};
  for (const { name, label } of once) {
    const { packages } = chosen.find((side) => side.name === name);
    if (name === 'nabla') outcomes[label] = summary([nablaSize()]);
    else if (packages) outcomes[label] = summary([installedSize(packages)]);
  }
  return outcomes;
}

function machine() {
  const versions = Object.fromEntries(
    sides.filter(({ version }) => version).map(({ name, version }) => [name, version]),
  );
  return { node: process.versions.node, cpu: cpus()[0].model, cores: cpus().length, versions };
}
