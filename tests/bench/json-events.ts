// The events of the JSON suite: text of about 130 bytes each, three fields of which are read; knows no engine.

import { makeEvents, type EventBatch } from './events.ts';

/** When the first event was: any whole minute. */
const FIRST_MS = 1_699_999_980_000;

/** Events as a producer writes them, a batch at a time, and their columns, which only checks may read. */
export interface JsonBatch {
  readonly texts: readonly string[];
  readonly columns: EventBatch;
}

/** `count` events (whole batches) over `keyCount` uniform keys. */
export function jsonEvents(count: number, keyCount: number): readonly JsonBatch[] {
  let number = 0;
  return makeEvents(count, keyCount).batches.map((columns) => ({
    columns,
    texts: columns.keys.map((key, i) => {
      const id = `e${(number++).toString(36).padStart(9, '0')}`;
      const ts = FIRST_MS + (columns.rowtime[i] ?? 0);
      return `{"id":"${id}","ts":${ts},"k":"${key}","station":"north hall","x":${columns.value[i]},"unit":"K","ok":true,"seq":${i},"tag":"reading"}`;
    }),
  }));
}
