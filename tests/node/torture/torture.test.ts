// A share of npm run torture: kills, failpoints and silence find nothing wrong with the edge, and something with mutants of it.

import { expect, test } from 'vitest';
import { hunt, MUTANTS } from '../../torture/mutants.ts';
import { silence } from '../../torture/silence.ts';
import { torture } from '../../torture/torture.ts';
import { HANGS_MS } from '../../support/waits.ts';

const seed = Date.now() % 1_000_000_000;
/** Mutants a run; which ones turns with the seed. */
const HUNTED = 3;
/** A mutant of alarms shows by what does not come, and these tests run all at once, beside other files. */
const TIMEOUT_MS = 2 * HANGS_MS;

// All at once: each has a workerd of its own, and waits for most of its time.
test.concurrent(
  `ten kills under load, with failpoints, leave no anomaly (SEED=${seed})`,
  { timeout: TIMEOUT_MS },
  async () => {
    const report = await torture({ mutant: null, kills: 10, seed });
    expect(report.examples).toEqual([]);
    expect(report.records).toBeGreaterThan(100);
    // Without a repeat the run has proved nothing.
    expect(report.clientRepeats + report.taskRepeats).toBeGreaterThan(0);
  },
);

test.concurrent(
  'what was acknowledged is processed though most wake-ups are lost and nobody asks',
  { timeout: TIMEOUT_MS },
  async () => {
    const report = await silence({ mutant: null, rounds: 4, lost: 0.6 });
    expect(report).toMatchObject({ rounds: 4, kills: 1, anomalies: {} });
  },
);

const hunted = Array.from({ length: HUNTED }, (_, i) => MUTANTS[(seed + i * 5) % MUTANTS.length]);

test.concurrent.each(hunted)(
  `the mutant %s is caught (SEED=${seed})`,
  { timeout: TIMEOUT_MS },
  async (mutant) => {
    const report = await hunt(mutant ?? '', seed);
    expect(report.isCaught).toBe(true);
  },
);
