// The window behind a record's key, and where the record stands; the columns of its time, place and headers are in pseudo-columns.ts. Knows no key's format.

import { InvariantError } from '../base/errors.ts';
import type { KeyWindow } from '../catalog/source.ts';
import type { Column } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import { type SchemaColumn, WINDOWSTART } from '../data/schema.ts';
import { BIGINT } from '../data/type.ts';
import { readWindow, type WindowKind } from '../formats/windowed-key.ts';
import type { CurrentMoment } from './current.ts';

/** Where a record batch stands. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  /** Offset of its first record. */
  readonly base: number;
  /** The topic's. */
  readonly incarnation: string;
  /** The greatest timestamp of the chunk; absent: nobody has looked. */
  readonly latestMs?: number | undefined;
  /** Of a chunk whose timestamps have been looked at: a task with several inputs comes back to each of their chunks in many short runs. */
  moment?: CurrentMoment | undefined;
}

/** What is behind the keys of a source; null: nothing. */
export function windowKind(window: KeyWindow | null): WindowKind | null {
  if (window === null) return null;
  return window.type === 'SESSION' ? 'session' : 'time';
}

/** WINDOWSTART or WINDOWEND of each row, from the end of its key. */
export function windowColumn(
  column: SchemaColumn,
  window: KeyWindow | null,
  records: RecordBatch,
  origin: Uint32Array,
): Column {
  const kind = windowKind(window);
  if (kind === null) throw new InvariantError(`${column.name} needs a windowed key`);
  const values = new BigInt64Array(origin.length);
  origin.forEach((index, row) => {
    const range = { from: records.keyFrom(index), to: records.keyTo(index) };
    const { startMs, endMs } = readWindow(records.bytes, range, kind, window?.sizeMs ?? 0);
    values[row] = column.name === WINDOWSTART ? startMs : endMs;
  });
  return { type: BIGINT, validity: null, storage: 'i64', values };
}
