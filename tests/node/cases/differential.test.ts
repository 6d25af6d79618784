// Generated queries over generated records: what comes out is what a plain reading of all records gives, on either path, whole, cut and restarted.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import type { Order } from '../../conformance/outputs.ts';
import { type Outcome, type RunOptions, runCase } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { queries } from '../../support/reference-queries.ts';
import { type Given, inputs, type Query, SOURCES } from '../../support/reference-rows.ts';
import { joinQueries, merged } from '../../support/reference-relations.ts';
import { regroupings, TABLE } from '../../support/reference-tables.ts';
import { HANGS_MS } from '../../support/waits.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 300);
/** They cost more. */
const JOINS = Math.ceil(QUERIES / 3);
/** On a busy machine. */
const QUERY_MS_MAX = 200;
/** A restart after each record costs the most. */
const MODES = ['normal', 'normal', 'normal', 'cut', 'cut', 'restart'] as const;

const PASSED: Outcome = { kind: 'passed' };

interface Way extends Pick<RunOptions, 'mode' | 'path' | 'fuse'> {
  readonly seed: number;
}

const ways: fc.Arbitrary<Way> = fc.record({
  mode: fc.constantFrom(...MODES),
  path: fc.constantFrom('auto' as const, 'row' as const),
  fuse: fc.constantFrom('auto' as const, 'never' as const),
  seed: fc.nat(),
});

async function outcomeOf(
  sources: readonly string[],
  { sql, run }: Query,
  given: readonly Given[],
  { seed, ...way }: Way,
  order?: Order,
): Promise<Outcome> {
  const entry = { name: sql, statements: [...sources, sql], inputs: given, outputs: run(given) };
  const [one] = readCases('generated', JSON.stringify({ tests: [entry] }));
  if (one === undefined) throw new Error('there is a case');
  const kernel = kernelModule();
  const options = { ...way, order, random: seededRandom(seed), kernel, isSilent: true };
  return runCase(one, options);
}

test(
  `${QUERIES} generated queries give what a naive interpreter gives`,
  async () => {
    const anyQuery = fc.oneof({ weight: 6, arbitrary: queries }, regroupings(TABLE));
    const property = fc.asyncProperty(anyQuery, inputs, ways, async (query, given, way) => {
      expect(await outcomeOf(SOURCES, query, given, way)).toEqual(PASSED);
    });
    await fc.assert(property, { numRuns: QUERIES });
  },
  HANGS_MS + QUERIES * QUERY_MS_MAX,
);

test(
  `${JOINS} generated joins give, key by key, what plain models of them give`,
  async () => {
    const property = fc.asyncProperty(
      joinQueries,
      ways,
      fc.nat({ max: 3 }),
      async ({ sources, query, given }, way, which) => {
        const isBacklog = which === 0;
        // Between tasks what has waited has no order among inputs.
        const own: Way = isBacklog ? { ...way, mode: 'backlog', fuse: 'auto' } : way;
        const records = isBacklog ? merged(given) : given;
        expect(await outcomeOf(sources, query, records, own, 'keys')).toEqual(PASSED);
      },
    );
    await fc.assert(property, { numRuns: JOINS });
  },
  HANGS_MS + JOINS * QUERY_MS_MAX,
);
