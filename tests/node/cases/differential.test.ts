// Generated queries over generated records: what comes out is what a plain reading of all records gives, on either path, whole, cut and restarted.

import process from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import { runCase } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { queries } from '../../support/reference-queries.ts';
import { inputs, SOURCES } from '../../support/reference-rows.ts';
import { regroupings } from '../../support/reference-tables.ts';

/** More of them in a run of its own. */
const QUERIES = Number(process.env['QUERIES'] ?? 300);
/** On a busy machine. */
const QUERY_MS_MAX = 200;
/** A restart after each record costs the most. */
const MODES = ['normal', 'normal', 'normal', 'cut', 'cut', 'restart'] as const;

test(
  `${QUERIES} generated queries give what a naive interpreter gives`,
  async () => {
    const kernel = kernelModule();
    const property = fc.asyncProperty(
      fc.oneof({ weight: 6, arbitrary: queries }, regroupings),
      inputs,
      fc.record({
        mode: fc.constantFrom(...MODES),
        path: fc.constantFrom('auto' as const, 'row' as const),
        fuse: fc.constantFrom('auto' as const, 'never' as const),
        seed: fc.nat(),
      }),
      async (query, given, { seed, ...way }) => {
        const entry = {
          name: query.sql,
          statements: [...SOURCES, query.sql],
          inputs: given,
          outputs: query.run(given),
        };
        const [one] = readCases('generated', JSON.stringify({ tests: [entry] }));
        if (one === undefined) throw new Error('there is a case');
        const options = { ...way, random: seededRandom(seed), kernel, isSilent: true };
        const outcome = await runCase(one, options);
        expect(outcome).toEqual({ kind: 'passed' });
      },
    );
    await fc.assert(property, { numRuns: QUERIES });
  },
  60_000 + QUERIES * QUERY_MS_MAX,
);
