// Damaged state: whether it can be made again from the input alone, and how that begins and ends (PROTOCOL.md, section 5); knows no operator.

import { encodeUtf8 } from '../base/bytes.ts';
import { TaskCorrupted } from '../base/errors.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { Rebuilt, Restored } from '../ports/store.ts';
import { saidBy } from './problem-records.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from './task-topics.ts';
import { REPLAY, REPLAY_KEY } from './replay.ts';
import { resetOf } from './start.ts';
import type { TaskOptions } from './task.ts';
import { inputsOf, subtopologyOf, taskId, type TaskName } from './topology.ts';

const PROCESSING_LOG = { topic: PROCESSING_LOG_TOPIC, partition: 0 };
const START_AGAIN = 'TERMINATE it, DROP what it writes, and create it again';

/**
 * Forgets the task's state and lets it begin again at the beginning of its input, silent up to where it was.
 * @throws {TaskCorrupted} where the state would not be the same again: nothing has changed; {PortError} what the ports refuse
 */
export async function rebuild(options: TaskOptions, damage: TaskCorrupted): Promise<void> {
  const { name, store, log } = options;
  const id = taskId(name);
  const input = await wholeInput(options);
  const attempt = async (isMeant: boolean): Promise<{ why: string | null; until: number }> => {
    const outcome: { why: string | null; until: number } = { why: input.why, until: 0 };
    if (input.why !== null) return outcome;
    await store.rebuild?.(id, (committed) => {
      outcome.why = lacks(committed, input);
      outcome.until = untilOf(committed);
      return isMeant && outcome.why === null ? beginning(input, outcome.until) : null;
    });
    return outcome;
  };
  const { why, until } = await attempt(false);
  if (why !== null) {
    const message = `the state of ${id} is damaged (${damage.message}) and cannot be rebuilt: ${why}. ${START_AGAIN}.`;
    throw new TaskCorrupted(message, { cause: damage });
  }
  // Told before it is done, and not in the task's own sequence: a store that is put back to a time before the damage makes no such entry.
  const { at } = input;
  const now = Math.floor(options.clock.now());
  await log.append(PROCESSING_LOG, entryOf(name, at, until, damage.message, now));
  await attempt(true);
}

interface WholeInput {
  readonly at: TopicPartition;
  readonly incarnation: string;
  /** Why the state is more than what the input says, or the input is not all there; null: it can be made again. */
  readonly why: string | null;
}

async function wholeInput(options: TaskOptions): Promise<WholeInput> {
  const { plan, name, log, store } = options;
  const part = subtopologyOf(plan, name.subtopology);
  const inputs = inputsOf(part, name.partition);
  const [at = { topic: '', partition: 0 }] = inputs;
  const not = (why: string): WholeInput => ({ at, incarnation: '', why });
  if (inputs.length !== 1) return not('the records of its several topics were taken as they came');
  if (store.rebuild === undefined || part.steps.some(({ step }) => step === 'client'))
    return not('a push query keeps nothing');
  if (part.steps.some(({ step }) => step === 'process'))
    return not('the code that made it may have changed since');
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

type Committed = Pick<Restored, 'offsets' | 'streamTimes' | 'sequences'>;

/** Why what was committed cannot be made again; null: it can. */
function lacks({ offsets, sequences }: Committed, { at, incarnation }: WholeInput): string | null {
  const [position] = offsets;
  if (position !== undefined && position.incarnation !== incarnation) {
    return `the topic ${at.topic} is not the one that was read before`;
  }
  const hasGivenUp = sequences.some(({ to }) => to.topic === DEAD_LETTERS_TOPIC);
  return hasGivenUp ? 'a record was given up to the dead letters, and might not be again' : null;
}

/** Behind the last record that was taken in; one that was cut short before goes on up to the same place. */
function untilOf({ offsets, streamTimes }: Committed): number {
  const before = streamTimes.find(({ step }) => step === REPLAY)?.ms ?? 0;
  return Math.max(before, offsets[0]?.next ?? 0);
}

function beginning({ at, incarnation }: WholeInput, until: number): Rebuilt {
  const offsets = [{ at, next: 0, incarnation }];
  if (until === 0) return { offsets, streamTimes: [], changes: [] };
  return {
    offsets,
    streamTimes: [{ step: REPLAY, ms: until }],
    changes: [{ table: REPLAY, key: REPLAY_KEY, value: REPLAY_KEY }],
  };
}

function entryOf(
  name: TaskName,
  { topic, partition }: TopicPartition,
  until: number,
  damage: string,
  nowMs: number,
): Uint8Array<ArrayBuffer> {
  const value = saidBy(name, {
    topic,
    partition,
    offset: until,
    field: '',
    code: 'REBUILT',
    message: `state is made again from the records before offset ${until}, and nothing is sent twice: ${damage}`,
  });
  return singleRecord(encodeUtf8(name.query), value, Math.max(0, nowMs));
}
