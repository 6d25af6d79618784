// Which cases say the same on several partitions as on one; knows no case by name.

import type { Plan, Step } from '../../runtime/plan/step.ts';
import type { Case } from './case.ts';

/**
 * Why the results of the queries hang on all inputs being in one partition; null: they do not.
 *
 * The rule: each partition has a stream time and offsets of its own, so that whatever closes, drops, holds back or forgets by stream time
 * and whatever shows a place in the log may be different. That are windows, of queries and of sources, final results, joins of two streams
 * (WITHIN), and the columns ROWPARTITION and ROWOFFSET. All else is by key, and each input is taken to its end before the next one comes,
 * as in ksqlDB's driver, so that its order holds across keys too.
 */
export function onePartitionReason({ inputs }: Case, plans: readonly Plan[]): string | null {
  const steps = plans.flatMap(({ subtopologies }) => subtopologies.flatMap((part) => part.steps));
  const isWindowed = inputs.some(({ window }) => window !== null) || steps.some(hasWindow);
  if (isWindowed) return 'a window';
  if (steps.some(({ step }) => BY_STREAM_TIME.has(step))) return 'stream time';
  return steps.some(showsPlace) ? 'a place in the log' : null;
}

const BY_STREAM_TIME: ReadonlySet<string> = new Set(['suppress', 'coalesce', 'streamStreamJoin']);

function hasWindow(step: Step): boolean {
  return 'window' in step && step.window !== null;
}

function showsPlace(step: Step): boolean {
  if (step.step !== 'source') return false;
  return step.schema.columns.some(({ name }) => name === 'ROWPARTITION' || name === 'ROWOFFSET');
}
