// Which keys of a table have rows that pass a filter, where no old rows come: what passes is held as it came until a commit. Knows no predicate.

import { grown } from '../base/grown.ts';
import { HELD_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op, positionOf } from '../data/batch.ts';
import { bitAt, type Bitmap, bitmap, type Column, setBit, valueAt } from '../data/column.ts';
import type { Schema, SchemaColumn } from '../data/schema.ts';
import { NO_KEY, RowKeys } from '../state/row-keys.ts';
import type { StoredRows } from './materialize.ts';
import { RARER_ROWS } from './parts.ts';

const FIRST_KEYS = 64;

/** What is known of a key: nothing yet, that it has no row that passes, or one. */
const UNKNOWN = 0;
const ABSENT = 1;
const PRESENT = 2;

/** Cost: a look-up a row; a row is encoded when a commit takes it. */
export class PassedRows {
  readonly #rows: StoredRows;
  readonly #keys: RowKeys;
  /** By key number. */
  #known = new Uint8Array(FIRST_KEYS);
  /** Batch and position of the row that was set last, one plus the batch; 0: none since the last commit. */
  #batchOf = new Uint32Array(FIRST_KEYS);
  #positionOf = new Uint32Array(FIRST_KEYS);
  #changed: number[] = [];
  #batches: Batch[] = [];
  #size = 0;

  /** @param rows whose keys' windows are known by their starts */
  constructor(schema: Schema, rows: StoredRows) {
    this.#rows = rows;
    const locate = (bytes: Uint8Array, from: number, to: number): number =>
      rows.locateKey(bytes, from, to);
    this.#keys = new RowKeys(schema, { locate }, { session: false });
  }

  /**
   * Takes a batch in.
   * @param passing positions of the rows that pass, ascending
   * @returns what of it is put out, perhaps of no row; null: it has old rows, or rows without a key, and nothing is taken in
   */
  take(batch: Batch, passing: Uint32Array): Batch | null {
    const { op: given, valueNull, length } = batch;
    if (given?.includes(Op.UpdateBefore) === true || hasOldValues(batch)) return null;
    if (this.#size + length > HELD_ROWS_MAX) this.settle();
    const ids = this.#keys.assign(batch);
    if (ids.subarray(0, length).includes(NO_KEY)) return null;
    this.#size += length;
    const number = this.#batches.push(batch);
    const positions = new Uint32Array(length);
    const op = new Uint8Array(batch.rowtime.length);
    let gone: Bitmap | null = null;
    let count = 0;
    let next = 0;
    for (let i = 0; i < length; i++) {
      const position = positionOf(batch, i);
      let passes = passing[next] === position;
      if (passes) next++;
      if (valueNull !== null && bitAt(valueNull, position)) passes = false;
      const id = ids[i] as number;
      const wasThere = this.#isThere(id);
      if (!passes && !wasThere) continue;
      if (!passes) {
        op[position] = Op.Delete;
        setBit((gone ??= bitmap(op.length)), position);
      } else op[position] = wasThere ? Op.UpdateAfter : Op.Insert;
      this.#set(id, passes ? PRESENT : ABSENT, number, position);
      positions[count++] = position;
    }
    const selection = count === op.length ? null : positions.slice(0, count);
    return {
      ...batch,
      columns: withNulls(batch, gone),
      selection,
      length: count,
      op,
      valueNull: gone,
    };
  }

  #isThere(id: number): boolean {
    if (id >= this.#known.length) {
      const length = Math.max(this.#known.length * 2, id + 1);
      this.#known = grown(this.#known, length);
      this.#batchOf = grown(this.#batchOf, length);
      this.#positionOf = grown(this.#positionOf, length);
    }
    if (this.#known[id] === UNKNOWN) this.#known[id] = this.#rows.has(id) ? PRESENT : ABSENT;
    return this.#known[id] === PRESENT;
  }

  #set(id: number, known: number, batch: number, position: number): void {
    if (this.#batchOf[id] === 0) this.#changed.push(id);
    this.#known[id] = known;
    this.#batchOf[id] = batch;
    this.#positionOf[id] = position;
  }

  /** Makes rows of the table of what is held. Key numbers may change after it. */
  settle(): void {
    for (const id of this.#changed) {
      const batch = this.#batches[(this.#batchOf[id] as number) - 1] as Batch;
      const position = this.#positionOf[id] as number;
      if (this.#known[id] === ABSENT) this.#rows.remove(id);
      else {
        const values = batch.columns.map((column) => valueAt(column, position));
        this.#rows.set(id, batch, position, values);
      }
    }
    this.#changed = [];
    this.#batches = [];
    this.#size = 0;
    this.#known.fill(UNKNOWN);
    this.#batchOf.fill(0);
    this.#keys.reset();
  }
}

/** A Delete with a value is one with the old value. */
function hasOldValues(batch: Batch): boolean {
  const { op, valueNull, length } = batch;
  if (op === null || !op.includes(Op.Delete)) return false;
  for (let i = 0; i < length; i++) {
    const position = positionOf(batch, i);
    const isNull = valueNull !== null && bitAt(valueNull, position);
    if (op[position] === Op.Delete && !isNull) return true;
  }
  return false;
}

/** The columns of a batch, less the values of the rows that are gone. */
function withNulls({ schema, columns, rowtime }: Batch, gone: Bitmap | null): readonly Column[] {
  if (gone === null) return columns;
  return columns.map((column, at) => {
    const { role } = schema.columns[at] as SchemaColumn;
    const isKey = role === 'key' || role === 'window';
    return isKey ? column : RARER_ROWS.code.nullWhere(column, gone, rowtime.length);
  });
}
