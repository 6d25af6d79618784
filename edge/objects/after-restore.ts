// What a task that was refused finds out of partitions that were put back to an earlier state: where it may go on, or why it must not; knows no storage.

import { PortError } from '../../runtime/base/errors.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import type { OffsetEntry, Restored } from '../../runtime/ports/store.ts';
import type { Plan, Subtopology } from '../../runtime/plan/step.ts';
import { originOf } from '../../runtime/ports/incarnation.ts';
import { inputsOf, subtopologyOf, type TaskName } from '../../runtime/task/topology.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../../runtime/task/task-topics.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';

/** What partitions and the catalog say of restores. Every method: @throws {PortError} UNAVAILABLE */
export interface Restores {
  /** How a partition goes on from an incarnation that it had before: up to that offset the records are the same; null: none is known to be. */
  continued(
    at: TopicPartition,
    incarnation: string,
  ): Promise<{ readonly incarnation: string; readonly end: number | null }>;
  highWatermark(at: TopicPartition): Promise<number>;
  /** The sequence that is due of a producer; 0 where it is not known. */
  sequenceOf(at: TopicPartition, producer: string): Promise<number>;
  /** Tells that more was read or written, under that incarnation (null: the present one), than is there. */
  found(at: TopicPartition, incarnation: string | null): Promise<void>;
}

interface Ended {
  readonly restores: Restores;
  /** Committed positions. */
  readonly offsets: readonly OffsetEntry[];
  /** What it has ended with. */
  readonly error: Error | null;
}

/** A task, and the plan that it is of. */
interface OfPlan {
  readonly plan: Plan;
  readonly name: TaskName;
}

/** An input was put back to an earlier state, which ends there. */
export interface Ending {
  readonly at: TopicPartition;
  readonly end: number;
}

const WHAT_TO_DO =
  'Put its tasks back to a time before (docs/restore.md), or TERMINATE it, DROP what it writes, and create it again.';

/** Where a task may go on. */
export interface Moved {
  /** Its positions under the incarnations that its inputs have now. */
  readonly moved: readonly OffsetEntry[];
  /** From where on these inputs may be others than those that it has read before. */
  readonly endings: readonly Ending[];
}

/**
 * Asks the partitions, only where the end may have come of a restore.
 * @returns its positions under the incarnations that its inputs have now, if all that was read before them is there still; else why it has ended
 * @throws {PortError} UNAVAILABLE when one does not answer: it may be asked again
 */
export async function afterRestore(
  ended: Ended,
): Promise<Moved | { readonly error: Error | null }> {
  const { error } = ended;
  if (!(error instanceof PortError)) return { error };
  switch (error.code) {
    case 'INCARNATION_CHANGED':
    case 'OFFSET_OUT_OF_RANGE':
      return afterReading(ended, error);
    case 'OUT_OF_ORDER_SEQUENCE':
      await foundByWriter(ended, error);
      return { error };
    default:
      return { error };
  }
}

async function afterReading(
  { restores, offsets }: Ended,
  error: PortError,
): Promise<Moved | { readonly error: Error }> {
  const moved: OffsetEntry[] = [];
  const endings: Ending[] = [];
  for (const { at, next, incarnation } of offsets) {
    const { incarnation: now, end } = await restores.continued(at, incarnation);
    if (now !== incarnation) {
      if (end === null) return { error: withReason(at, next, error) };
      if (next > end) return { error: beyond(at, next, end) };
      moved.push({ at, next, incarnation: now });
      endings.push({ at, end });
      continue;
    }
    const highWatermark = await restores.highWatermark(at);
    if (next <= highWatermark) continue;
    await restores.found(at, incarnation);
    return { error: beyond(at, next, highWatermark) };
  }
  return moved.length === 0 ? { error } : { moved, endings };
}

/** A partition that expects less than it has acknowledged. One that knows nothing of the task may be of a topic that was made again. */
async function foundByWriter({ restores }: Ended, { detail }: PortError): Promise<void> {
  const { topic, partition, expected } = detail;
  if (typeof topic !== 'string' || typeof partition !== 'number' || expected === 0) return;
  await restores.found({ topic, partition }, null);
}

/**
 * Why a task does not go on where its inputs are not those that it read before; null: it may. No topic must hold more of it than it has made
 * so far: up to where its inputs are the same it makes that again, but what follows is made of other records, and must not be taken for it.
 */
export async function madeOfLost(
  restores: Restores,
  { plan, name }: OfPlan,
  { producer, sequences }: Pick<Restored, 'producer' | 'sequences'>,
): Promise<PortError | null> {
  const made = new Map(sequences.map(({ to, next }) => [partitionKey(to), next]));
  // Those that it has not written to yet, too: it may have, before it was put back.
  for (const to of destinationsOf(subtopologyOf(plan, name.subtopology))) {
    const next = made.get(partitionKey(to)) ?? 0;
    if ((await restores.sequenceOf(to, producer.id)) <= next) continue;
    const { topic, partition } = to;
    const message =
      `topic '${topic}' partition ${partition} holds what this query has made of records that are not there any more since their topic was put back to an earlier ` +
      'state. Put it back to a time before, too (docs/restore.md), and RESUME the query; or TERMINATE the query, DROP what it writes, and create it again.';
    return new PortError('OUT_OF_ORDER_SEQUENCE', message, { topic, partition });
  }
  return null;
}

/**
 * As `madeOfLost`, of a task that is there and has committed nothing: it may have been put back to before its first commit. Where an input was put back at
 * any time, nobody knows what it had read of it.
 */
export async function begunOnLost(
  restores: Restores,
  task: OfPlan,
  restored: Pick<Restored, 'producer' | 'sequences'>,
): Promise<PortError | null> {
  const lost = await madeOfLost(restores, task, restored);
  if (lost === null) return null;
  const { plan, name } = task;
  for (const at of inputsOf(subtopologyOf(plan, name.subtopology), name.partition)) {
    const { incarnation } = await restores.continued(at, '');
    if (originOf(incarnation) !== incarnation) return lost;
  }
  return null;
}

/** Every partition that a task may write to. */
function destinationsOf({ steps }: Subtopology): readonly TopicPartition[] {
  const written = steps.flatMap((step) =>
    step.step === 'sink' || step.step === 'repartition' ? [step] : [],
  );
  const own = [PROCESSING_LOG_TOPIC, DEAD_LETTERS_TOPIC].map((topic) => ({ topic, partitions: 1 }));
  return [...written, ...own].flatMap(({ topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  );
}

/** True when positions are at the ends, or beyond. */
export function haveCome(offsets: readonly OffsetEntry[], endings: readonly Ending[]): boolean {
  const next = new Map(offsets.map((offset) => [partitionKey(offset.at), offset.next]));
  return endings.every(({ at, end }) => (next.get(partitionKey(at)) ?? 0) >= end);
}

function beyond({ topic, partition }: TopicPartition, next: number, end: number): PortError {
  const message =
    `topic '${topic}' partition ${partition} was put back to an earlier state: this query has read up to offset ${next}, ` +
    `and what it read from ${end} on is not there any more. ${WHAT_TO_DO}`;
  return new PortError('INCARNATION_CHANGED', message, { topic, partition, next, end });
}

/** Nothing is known of the offsets that were read. */
function withReason({ topic, partition }: TopicPartition, next: number, cause: PortError) {
  const message =
    `topic '${topic}' partition ${partition} is not the one that was read before: it was dropped and created again, or put back to an earlier state; ` +
    `offset ${next}, where this query stands, may be of other records. ${WHAT_TO_DO}`;
  return new PortError('INCARNATION_CHANGED', message, { topic, partition, next }, { cause });
}
