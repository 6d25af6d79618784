// The mutants of the protocol and which harness finds each; the faults themselves are in tests/workers/torture.

import { torture, type TortureReport } from './torture.ts';
import { silence, type SilenceReport } from './silence.ts';

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

/** Found by silence after bursts. */
const IN_SILENCE = ['no-partition-alarm', 'no-processor-alarm'] as const;

export const MUTANTS: readonly string[] = [...UNDER_LOAD, ...IN_SILENCE];

/** Runs within which a mutant must be found; nearly always it is the first. */
const RUNS_MAX = 6;
const KILLS = 4;
const ROUNDS = 12;

export interface MutantReport {
  readonly mutant: string;
  readonly isCaught: boolean;
  readonly runs: readonly (TortureReport | SilenceReport)[];
}

/** Runs a mutant until it is caught, a few times at most. */
export async function hunt(mutant: string, seed: number): Promise<MutantReport> {
  const runs: (TortureReport | SilenceReport)[] = [];
  for (let run = 0; run < RUNS_MAX; run++) {
    const isSilent = (IN_SILENCE as readonly string[]).includes(mutant);
    const report = isSilent
      ? await silence({ mutant, rounds: ROUNDS, lost: 0.5 })
      : await torture({ mutant, kills: KILLS, seed: seed + run });
    runs.push(report);
    if (Object.keys(report.anomalies).length > 0) return { mutant, isCaught: true, runs };
  }
  return { mutant, isCaught: false, runs };
}
