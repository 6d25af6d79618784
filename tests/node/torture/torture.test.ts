// A short share of npm run torture: kills and failpoints find nothing wrong with the edge, and something with each mutant.

import { expect, test } from 'vitest';
import { torture } from '../../torture/torture.ts';

const seed = Date.now() % 1_000_000_000;

test(`five kills under load leave nothing lost, doubled or reordered (SEED=${seed})`, async () => {
  const report = await torture({ entry: 'tests/workers/torture/edge.ts', kills: 5, seed });
  expect(report.examples).toEqual([]);
  expect(report.records).toBeGreaterThan(100);
  // Without a repeat the run has proved nothing.
  expect(report.clientRepeats + report.taskRepeats).toBeGreaterThan(0);
});

test.each(['no-dedupe', 'late-offsets'])(
  `the mutant %s is caught (SEED=${seed})`,
  async (mutant) => {
    const anomalies: string[] = [];
    for (let run = 0; run < 3 && anomalies.length === 0; run++) {
      const entry = `tests/workers/torture/${mutant}.ts`;
      const report = await torture({ entry, kills: 5, seed: seed + run });
      anomalies.push(...Object.keys(report.anomalies));
    }
    expect(anomalies).not.toEqual([]);
  },
);
