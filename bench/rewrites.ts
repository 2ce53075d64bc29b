// `npm run bench:rewrites`: writes the tables of docs/rewrites.md, of the rules and of what they make of whole steps.
import { readFileSync, writeFileSync } from 'node:fs';
import { graphTable, ruleTable, withTables } from './workloads/rewriteTables.ts';

const page = process.argv[2] ?? 'docs/rewrites.md';
const before = readFileSync(page, 'utf8');
const after = withTables(before, { rules: ruleTable(), graphs: graphTable() });
writeFileSync(page, after);
console.log(graphTable());
console.log(after === before ? `${page} is as it was` : `${page} is written anew`);
