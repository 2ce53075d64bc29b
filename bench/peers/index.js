// `npm run bench:peers`: nabla beside its peers on the same work, in turn, on this machine. README.md has the method.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { memoryGrowth, startTimes } from './fresh.js';
import { installedSize, installPeers, nablaSize } from './install.js';
import { interleave } from './interleave.js';
import { HELP, parseOptions } from './options.js';
import { SideProcess } from './process.js';
import { freshTable, notes, rateTable, ratioTable } from './report.js';
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
process.on('exit', () => {
  for (const side of sides) side.close();
});
process.on('SIGINT', () => process.exit(130));

installPeers();
const rows = await speed();
const fresh = await freshRows();
progress('');
print();
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ machine: machine(), options, rows, fresh }, null, 1)}\n`);
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

/** A line that overwrites itself on a terminal, and is left out elsewhere. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function speed() {
  const rows = [];
  for (const workload of workloads.filter(({ id }) => options.only.includes(id))) {
    const { id, name, unit } = workload;
    const onTurn = (turn) => progress(`${id} ${name}: ${turn}`);
    rows.push({ id, name, unit, outcomes: await interleave(workload, sides, { ...options, onTurn }) });
    if (!process.stderr.isTTY) console.error(`${id} ${name}: done`);
  }
  return rows;
}

/** W9 and W10, each side once, on as few threads as it was asked for. */
async function freshRows() {
  const learners = chosen
    .filter(({ name }) => name !== 'limit')
    .map(({ name }) => sides.find((side) => side.name === name));
  const rows = [];
  for (const loop of memoryLoops.filter(({ id }) => options.only.includes(id))) {
    progress(`${loop.id} ${loop.name}`);
    rows.push({ name: `W9 ${loop.name}`, unit: 'MB a step', measured: await memoryGrowth(loop, learners) });
  }
  if (!options.only.includes(firstStep.id)) return rows;
  progress(`${firstStep.id} ${firstStep.name}`);
  rows.push({
    name: `W10 ${firstStep.name}`,
    unit: 'ms',
    measured: await startTimes(firstStep, learners, options.rounds),
  });
  rows.push({ name: 'W10 installed', unit: 'MB', measured: installedSizes(learners) });
  return rows;
}

function installedSizes(learners) {
  const measured = {};
  for (const { name, label } of learners) {
    const { packages } = chosen.find((side) => side.name === name);
    const size = name === 'nabla' ? nablaSize() : packages && installedSize(packages);
    if (size !== undefined) measured[label] = summary([size]);
  }
  return measured;
}

function machine() {
  const versions = Object.fromEntries(
    sides.filter(({ version }) => version).map(({ name, version }) => [name, version]),
  );
  return { node: process.versions.node, cpu: cpus()[0].model, cores: cpus().length, versions };
}

function print() {
  const { node, cpu, cores, versions } = machine();
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const method = `median (10–90 %) of ${options.rounds} turns; ratios: nabla's rate ÷ the peer's in the same round`;
  const parts = [`Node ${node}, ${cores} × ${cpu}; ${named.join(', ')}. ${method}; (n) is threads.`];
  if (rows.length > 0) parts.push(ratioTable(rows, sides), 'Rates of the limit and the peers:', rateTable(rows, sides));
  if (fresh.length > 0)
    parts.push(
      freshTable(
        fresh,
        sides.filter(({ label }) => label in fresh[0].measured),
      ),
    );
  const all = [...rows, ...fresh.map(({ name, measured }) => ({ name, outcomes: measured }))];
  console.log(`\n${[...parts, notes(all).join('\n')].join('\n\n')}`);
}
