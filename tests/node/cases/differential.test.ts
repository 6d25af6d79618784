// Generated queries over generated records: what comes out is what a plain reading of all records gives, on either path, whole, cut and restarted.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import type { Order } from '../../conformance/outputs.ts';
import { type RunOptions, runCase } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { queries } from '../../support/reference-queries.ts';
import { type Given, inputs, type Query, SOURCES } from '../../support/reference-rows.ts';
import { joinQueries, merged } from '../../support/reference-relations.ts';
import { regroupings, TABLE } from '../../support/reference-tables.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 300);
/** On a busy machine. */
const QUERY_MS_MAX = 200;
/** A restart after each record costs the most. */
const MODES = ['normal', 'normal', 'normal', 'cut', 'cut', 'restart'] as const;

interface Way extends Pick<RunOptions, 'mode' | 'path' | 'fuse'> {
  readonly seed: number;
}

const ways: fc.Arbitrary<Way> = fc.record({
  mode: fc.constantFrom(...MODES),
  path: fc.constantFrom('auto' as const, 'row' as const),
  fuse: fc.constantFrom('auto' as const, 'never' as const),
  seed: fc.nat(),
});

async function check(
  sources: readonly string[],
  { sql, run }: Query,
  given: readonly Given[],
  { seed, ...way }: Way,
  order?: Order,
): Promise<void> {
  const entry = { name: sql, statements: [...sources, sql], inputs: given, outputs: run(given) };
  const [one] = readCases('generated', JSON.stringify({ tests: [entry] }));
  if (one === undefined) throw new Error('there is a case');
  const kernel = kernelModule();
  const options = { ...way, order, random: seededRandom(seed), kernel, isSilent: true };
  expect(await runCase(one, options)).toEqual({ kind: 'passed' });
}

test(
  `${QUERIES} generated queries give what a naive interpreter gives`,
  async () => {
    const anyQuery = fc.oneof({ weight: 6, arbitrary: queries }, regroupings(TABLE));
    const property = fc.asyncProperty(anyQuery, inputs, ways, (query, given, way) =>
      check(SOURCES, query, given, way),
    );
    await fc.assert(property, { numRuns: QUERIES });
  },
  60_000 + QUERIES * QUERY_MS_MAX,
);

test(
  `${QUERIES} generated joins give, key by key, what plain models of them give`,
  async () => {
    const property = fc.asyncProperty(
      joinQueries,
      ways,
      fc.integer({ min: 0, max: 3 }),
      ({ sources, query, given }, way, which) =>
        which === 0
          ? check(sources, query, merged(given), { ...way, mode: 'backlog', fuse: 'auto' }, 'keys')
          : check(sources, query, given, way, 'keys'),
    );
    await fc.assert(property, { numRuns: QUERIES });
  },
  60_000 + QUERIES * QUERY_MS_MAX,
);
