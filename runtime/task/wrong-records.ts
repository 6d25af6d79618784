// What is done about records that go wrong, fetched with the first of them: problems, gaps, failed turns. Knows no operator.

import { LimitError, PortError, RecordError, type TaskCorrupted } from '../base/errors.ts';
import type { RowProblem } from '../operators/operator.ts';
import type { Plan } from '../plan/step.ts';
import { RecordCrash } from './crash.ts';
import { rebuild } from './rebuild.ts';
import { PoisonHunt } from './poison.ts';
import { Session } from './session.ts';
import type { TaskOptions } from './task.ts';
import { HUNT_KEY, HUNT_TABLE } from './task-topics.ts';

export { deadLetter } from './dead-letter.ts';
export { anotherTopic, gapEntry, steppedOver } from './gaps.ts';
export { movedRows } from './moved-rows.ts';
export { saidBy } from './problem-records.ts';
export { ProblemLog } from './problems.ts';
export { PoisonHunt };

/**
 * Does what must be done between a turn that failed and the next: an attempt at a record is counted, damaged state is made again.
 * @param isRebuilt state of this task has been made again before
 * @returns whether it has by now
 * @throws what no further turn would mend
 */
export async function mend(
  thrown: RecordCrash | TaskCorrupted,
  options: TaskOptions,
  isRebuilt: boolean,
): Promise<boolean> {
  if (thrown instanceof RecordCrash) {
    // Committed before the retry, from the last commit's state: the attempt counts even when the next one kills the process.
    const session = await Session.open(options);
    const hunt = new PoisonHunt(session.state.get(HUNT_TABLE, HUNT_KEY));
    hunt.failed(thrown.taken, thrown.cause);
    try {
      await session.commit([hunt.change()]);
    } finally {
      session.close();
    }
    return isRebuilt;
  }
  // Once in a life of the task: state that is damaged again is not so by chance.
  if (isRebuilt) throw thrown;
  await rebuild(options, thrown);
  return true;
}

/** No fault that another attempt would mend: it ends the query as a limit does. */
export function refuseStrictly({ code, message }: RecordError, plan: Plan): void {
  if (code !== 'TIMESTAMP' || plan.strictTimestamps !== true) return;
  throw new LimitError('ksql.timestamp.throw.on.invalid', message);
}

/** A record that its format or the log's limits refuse is that record's fault; anything else is ours. */
export function problemOf(thrown: unknown, origin: number | null): RowProblem {
  if (thrown instanceof RecordError) {
    return { code: thrown.code, origin, field: thrown.field, reason: thrown.message };
  }
  const refused =
    thrown instanceof LimitError ||
    (thrown instanceof PortError &&
      (thrown.code === 'RECORD_TOO_LARGE' || thrown.code === 'INVALID_TIMESTAMP'));
  if (!refused) throw thrown;
  return { code: 'SERIALIZATION', origin, field: '', reason: thrown.message };
}
