// What was thrown while records were processed, and whether they can be at fault; knows no operator.

import { isPassing, LimitError, messageOf, TaskCorrupted } from '../base/errors.ts';
import { PartMissing } from '../base/part.ts';

/** Something was thrown while records were processed. */
export class RecordCrash extends Error {
  readonly taken: number;
  constructor(taken: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.taken = taken;
  }
}

/** A limit is ours to raise or the query's to obey, code that is not fetched yet ours to fetch, and state the store's to read. */
export function isNoRecordsFault(thrown: unknown): boolean {
  return (
    isPassing(thrown) ||
    thrown instanceof LimitError ||
    thrown instanceof PartMissing ||
    thrown instanceof TaskCorrupted
  );
}
