// docs/rewrites.md says what the rule table says, and what the rules make of whole steps. After a change that is meant:
// npm run build && npm run bench:rewrites
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { graphTable, ruleTable, withTables } from '../../bench/workloads/rewriteTables.ts';

const page = readFileSync(new URL('../../docs/rewrites.md', import.meta.url), 'utf8');

test('the page lists every rule with its phase and motive', () => {
  expect(page).toBe(withTables(page, { rules: ruleTable() }));
  expect(page).toContain(ruleTable());
});

test('the page counts nodes, instructions and bytes as they are', { timeout: 60_000 }, () => {
  expect(page).toContain(graphTable());
});
