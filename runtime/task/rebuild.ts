// Damaged state: whether it can be made again from the input alone, and how that begins and ends (PROTOCOL.md, section 5); knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { TaskCorrupted } from '../base/errors.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { Rebuilt, Restored } from '../ports/store.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from './problem-records.ts';
import { REPLAY, REPLAY_KEY } from './replay.ts';
import type { Outgoing } from './sink.ts';
import { resetOf } from './start.ts';
import type { TaskOptions } from './task.ts';
import { inputsOf, subtopologyOf, taskId, type TaskName } from './topology.ts';

const START_AGAIN = 'TERMINATE it, DROP what it writes, and create it again';

/**
 * Forgets the task's state and lets it begin again at the beginning of its input, silent up to where it was.
 * @throws {TaskCorrupted} where the state would not be the same again: nothing has changed; {PortError} what the ports refuse
 */
export async function rebuild(options: TaskOptions, damage: TaskCorrupted): Promise<void> {
  const id = taskId(options.name);
  const input = await wholeInput(options);
  let why = input.why;
  if (why === null) {
    await options.store.rebuild(id, (committed) => {
      const begin = beginning(committed, input);
      if ('why' in begin) ({ why } = begin);
      return 'why' in begin ? null : begin;
    });
  }
  if (why === null) return;
  const message = `the state of ${id} is damaged (${damage.message}) and cannot be rebuilt: ${why}. ${START_AGAIN}.`;
  throw new TaskCorrupted(message, { cause: damage });
}

interface WholeInput {
  readonly at: TopicPartition;
  readonly incarnation: string;
  /** Why the state is more than what the input says, or the input is not all there; null: it can be made again. */
  readonly why: string | null;
}

async function wholeInput(options: TaskOptions): Promise<WholeInput> {
  const { plan, name, log } = options;
  const part = subtopologyOf(plan, name.subtopology);
  const inputs = inputsOf(part, name.partition);
  const [at = { topic: '', partition: 0 }] = inputs;
  const not = (why: string): WholeInput => ({ at, incarnation: '', why });
  if (inputs.length !== 1) return not('the records of its several topics were taken as they came');
  if (part.steps.some(({ step }) => step === 'client')) return not('a push query keeps nothing');
  if (plan.moved !== undefined) return not('the query has been replaced since it began');
  const isTimed = part.steps.some(({ step }) => step === 'coalesce');
  if (isTimed || (plan.idleMs ?? null) !== null) return not('what it makes hangs on the clock');
  if (resetOf(options, part, at) === 'latest') return not('it began at the latest records');
  const topic = await log.describe(at.topic);
  if (topic?.compacted === true) return not(`the topic ${at.topic} is compacted`);
  const { start, incarnation } = await log.bounds(at);
  if (start > 0) return not(`the topic ${at.topic} has let its records before offset ${start} go`);
  return { at, incarnation, why: null };
}

function beginning(
  { offsets, streamTimes, sequences }: Pick<Restored, 'offsets' | 'streamTimes' | 'sequences'>,
  { at, incarnation }: WholeInput,
): Rebuilt | { readonly why: string } {
  const [position] = offsets;
  if (position !== undefined && position.incarnation !== incarnation) {
    return { why: `the topic ${at.topic} is not the one that was read before` };
  }
  if (sequences.some(({ to }) => to.topic === DEAD_LETTERS_TOPIC)) {
    return { why: 'a record was given up to the dead letters, and might not be again' };
  }
  // One that was cut short before goes on up to the same place.
  const before = streamTimes.find(({ step }) => step === REPLAY)?.ms ?? 0;
  const until = Math.max(before, position?.next ?? 0);
  return {
    offsets: [{ at, next: 0, incarnation }],
    streamTimes: [{ step: REPLAY, ms: until }],
    changes: [{ table: REPLAY, key: REPLAY_KEY, value: REPLAY_KEY }],
  };
}

/** The change of the commit with which a rebuilding is done. */
export const REBUILT = { table: REPLAY, key: REPLAY_KEY, value: null };

/** @param nowMs the task's logical time */
export function rebuiltEntry(
  name: TaskName,
  { topic, partition }: TopicPartition,
  until: number,
  nowMs: number,
): Outgoing {
  const value = encodeUtf8(
    JSON.stringify({
      query: name.query,
      task: taskId(name),
      topic,
      partition,
      offset: until,
      field: '',
      code: 'REBUILT',
      message: `the task's state was damaged; it was made again from the records before offset ${until}, and nothing was sent twice`,
    }),
  );
  const bytes = singleRecord(encodeUtf8(name.query), value, Math.max(0, nowMs));
  return { to: { topic: PROCESSING_LOG_TOPIC, partition: 0 }, count: 1, bytes };
}
