// What a task starts from: its last commit, and where it reads each of its inputs; knows no operator.

import { PortError, TaskCorrupted } from '../base/errors.ts';
import type { Subtopology } from '../plan/step.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { OffsetEntry, Restored } from '../ports/store.ts';
import type { Reset } from './inputs.ts';
import type { TaskOptions } from './task.ts';
import { taskId } from './topology.ts';

/** @throws {TaskCorrupted} when the store finds state that fails its checks */
export async function loaded({ store, name }: TaskOptions): Promise<Restored> {
  try {
    return await store.load(taskId(name));
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'CORRUPT') throw thrown;
    throw new TaskCorrupted(thrown.message, { cause: thrown });
  }
}

/** Where reading goes on: behind the last commit, or where the plan or the source says for a partition without one. */
export async function startOf(
  options: TaskOptions,
  part: Subtopology,
  at: TopicPartition,
  known: readonly OffsetEntry[],
): Promise<OffsetEntry> {
  const committed = known.find(
    (entry) => entry.at.topic === at.topic && entry.at.partition === at.partition,
  );
  if (committed !== undefined) return committed;
  const { start, highWatermark, incarnation } = await options.log.bounds(at);
  const isLatest = resetOf(options, part, at) === 'latest';
  return { at, next: isLatest ? highWatermark : start, incarnation };
}

/** Where an input begins, and goes on when records are gone; null for a topic between tasks, which nobody else lets go. */
export function resetOf(
  { plan }: TaskOptions,
  part: Subtopology,
  { topic }: TopicPartition,
): Reset {
  const sources = part.steps.filter((step) => step.step === 'source' && step.topic === topic);
  if (sources.length === 0) return null;
  const isWhole = sources.some((step) => step.step === 'source' && step.from === 'earliest');
  return plan.from === 'latest' && !isWhole ? 'latest' : 'earliest';
}
