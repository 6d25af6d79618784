// What an object's own database refuses, as errors of the store port; knows no table.

import { messageOf, PortError, TaskCorrupted } from '../../runtime/base/errors.ts';
import { isStorageFull } from '../wire.ts';

/**
 * Runs statements. What the database refuses passes: it is locked, for example, while the instance before this one is still being closed.
 * @throws {PortError} STORAGE_FULL, UNAVAILABLE; {TaskCorrupted} as the body does
 */
export function asked<T>(body: () => T): T {
  try {
    return body();
  } catch (thrown) {
    throw refusalOf(thrown);
  }
}

/** As `asked`, for rows that are read as they are wanted. */
export function* askedEach<T>(rows: Iterable<T>): Generator<T, void, undefined> {
  try {
    yield* rows;
  } catch (thrown) {
    throw refusalOf(thrown);
  }
}

function refusalOf(thrown: unknown): unknown {
  if (thrown instanceof PortError || thrown instanceof TaskCorrupted) return thrown;
  const isFull = isStorageFull(thrown);
  const message = `the store refused: ${messageOf(thrown)}`;
  // What an object may hold is the platform's limit: nobody makes room beside it.
  const detail = isFull ? { limit: 'PARTITION_BYTES_MAX' } : {};
  return new PortError(isFull ? 'STORAGE_FULL' : 'UNAVAILABLE', message, detail, { cause: thrown });
}
