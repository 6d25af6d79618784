// Push queries that go on where another connection has stopped: which ones can, and how their place is told; knows no host.

import { decodeBase64Url, encodeBase64Url } from '../base/base64.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { StatementError } from '../base/errors.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { Store } from '../ports/store.ts';
import { inputsOf, subtopologyOf, taskId, tasksOf } from '../task/topology.ts';
import type { PlacedAt } from './push.ts';
import type { QueryPlace } from './query-rows.ts';

const VERSION = 2;

/** True when what the query shows of a record hangs on that record alone, so that nothing but its place need be known to go on. */
export function isResumable(plan: Plan): boolean {
  const [only] = plan.subtopologies;
  if (only === undefined || plan.subtopologies.length > 1 || plan.internalTopics.length > 0)
    return false;
  return only.steps.every(isStateless);
}

function isStateless(step: Step): boolean {
  switch (step.step) {
    case 'source':
      return !step.materialized;
    case 'filter':
    case 'project':
    case 'flatMap':
      return true;
    case 'client':
      return step.limit === null;
    default:
      return false;
  }
}

/** The place of a resumable query as a text for its client. */
export function continuationToken(plan: Plan, behind: readonly QueryPlace[]): string {
  const places = behind.map(({ at, next, incarnation, rows }) => [
    at.topic,
    at.partition,
    next,
    incarnation,
    rows,
  ]);
  const text = JSON.stringify([VERSION, fingerprint(plan), places]);
  return encodeBase64Url(encodeUtf8(text));
}

/**
 * What puts the tasks of a plan where a token says.
 * @throws {StatementError} when the token is not one of this statement, or the query has more to know than its place
 */
export function placedAt(plan: Plan, token: string): PlacedAt {
  if (!isResumable(plan)) throw refused('a query that keeps state begins anew');
  const places = placesOf(plan, token);
  const found = tasksOf(plan).map((name) => {
    const inputs = inputsOf(subtopologyOf(plan, name.subtopology), name.partition);
    const own = places.filter(({ at }) =>
      inputs.some(({ topic, partition }) => topic === at.topic && partition === at.partition),
    );
    if (own.length !== inputs.length) throw refused('a partition is missing in it');
    return { task: taskId(name), own };
  });
  const put = async (store: Store): Promise<void> => {
    for (const { task, own } of found) {
      const { commit: after } = await store.load(task);
      const offsets = own.map(({ at, next, incarnation }) => ({ at, next, incarnation }));
      const nothing = { streamTimes: [], counters: [], changes: [], outbox: [] };
      await store.commit(task, { after, offsets, ...nothing });
    }
  };
  const rows = new Map(found.map(({ task, own }) => [task, own[0]?.rows ?? 0]));
  return { put, rows };
}

function placesOf(plan: Plan, token: string): QueryPlace[] {
  const bytes = decodeBase64Url(token);
  if (bytes === null || !isUtf8(bytes)) throw refused('it is not one');
  let given: unknown;
  try {
    given = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw refused('it is not one');
  }
  if (!Array.isArray(given) || given[0] !== VERSION || !Array.isArray(given[2]))
    throw refused('it is not one');
  if (given[1] !== fingerprint(plan)) throw refused('it is of another statement');
  return given[2].map((place: unknown) => {
    const [topic, partition, next, incarnation, rows] = Array.isArray(place) ? place : [];
    const isPlace =
      typeof topic === 'string' &&
      Number.isSafeInteger(partition) &&
      Number.isSafeInteger(next) &&
      next >= 0 &&
      typeof incarnation === 'string' &&
      Number.isSafeInteger(rows) &&
      rows >= 0;
    if (!isPlace) throw refused('it is not one');
    return { at: { topic, partition }, next, incarnation, rows };
  });
}

/** Tells statements apart: what is shown of a record is in the steps. */
function fingerprint(plan: Plan): number {
  return crc32c(encodeUtf8(JSON.stringify(plan.subtopologies)));
}

function refused(why: string): StatementError {
  const hint = 'Start the query without a token.';
  return new StatementError('INVALID', `the continuation token cannot be used: ${why}`, null, hint);
}
