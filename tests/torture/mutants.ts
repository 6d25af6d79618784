// The mutants of the protocol and which harness finds each; the faults themselves are in tests/workers/torture.

import { torture, type TortureReport } from './torture.ts';
import { silence, type SilenceOptions, type SilenceReport } from './silence.ts';

/** Found by the load with kills and failpoints. */
const UNDER_LOAD = [
  'no-dedupe',
  'no-client-dedupe',
  'wrong-original',
  'early-answer',
  'late-offsets',
  'late-outbox',
  'new-producers',
  'read-again',
  'skipped',
  'forgotten-outbox',
  'forgotten-state',
] as const;

/**
 * Found by silence after bursts. A partition's alarm shows when wake-ups are lost. A processor's shows when it dies between the answer to a
 * wake-up and the end of its work, which is short: that takes many bursts, none of which waits for a wake-up that was lost.
 */
const IN_SILENCE: Readonly<Record<string, Omit<SilenceOptions, 'mutant'>>> = {
  'no-partition-alarm': { rounds: 12, lost: 0.5 },
  'no-processor-alarm': { rounds: 300, lost: 0, deaths: 0.05, killEvery: Infinity },
};

export const MUTANTS: readonly string[] = [...UNDER_LOAD, ...Object.keys(IN_SILENCE)];

/** Runs within which a mutant must be found; nearly always it is the first. */
const RUNS_MAX = 6;
const KILLS = 4;

export interface MutantReport {
  readonly mutant: string;
  readonly isCaught: boolean;
  readonly runs: readonly (TortureReport | SilenceReport)[];
}

/** Runs a mutant until it is caught, a few times at most. */
export async function hunt(mutant: string, seed: number): Promise<MutantReport> {
  const runs: (TortureReport | SilenceReport)[] = [];
  for (let run = 0; run < RUNS_MAX; run++) {
    const silent = IN_SILENCE[mutant];
    const report = silent
      ? await silence({ mutant, ...silent })
      : await torture({ mutant, kills: KILLS, seed: seed + run });
    runs.push(report);
    if (Object.keys(report.anomalies).length > 0) return { mutant, isCaught: true, runs };
  }
  return { mutant, isCaught: false, runs };
}
