// The rows that a foreign-key join over whole batches puts out: keys by their numbers beside kept rows of both tables; knows no rule of joining.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, Op } from '../data/batch.ts';
import { columnBuilder } from '../data/builder.ts';
import { type Bitmap, bitmap, type Column, setBit } from '../data/column.ts';
import { ByteWriter } from '../base/bytes.ts';
import { WholeDictionary } from '../data/dictionary.ts';
import type { Interner } from '../data/interner.ts';
import { decodeKey } from '../data/key.ts';
import type { Schema } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import type { ReferenceTable } from '../state/reference-table.ts';
import { together } from './join-across.ts';
import type { Emit, Moment, OperatorContext } from './operator.ts';

/** Codes of texts are kept by number up to here. */
const CODES_FROM_MAX = 2 ** 31 - 2 * BATCH_ROWS_MAX;

/** Key columns of rows by the numbers of their keys. Cost: a text is copied once a batch; other types are decoded row by row. */
class KeysByNumber {
  readonly #types: readonly Type[];
  /** By number its code, counted from `#from`; less than that: it has none in this batch. */
  #codes = new Int32Array(0);
  #from = 1;
  readonly #bytes = new ByteWriter(1024);

  constructor(types: readonly Type[]) {
    this.#types = types;
  }

  columns(ids: Int32Array, index: Interner): readonly Column[] {
    const [type, second] = this.#types;
    if (type?.kind === 'STRING' && second === undefined) return [this.#texts(type, ids, index)];
    const builders = this.#types.map((of) => columnBuilder(of));
    for (const id of ids) {
      const { values } = decodeKey(this.#types, index.key(id));
      for (let i = 0; i < builders.length; i++) builders[i]?.append(values[i] ?? null);
    }
    return builders.map((builder) => builder.finish());
  }

  #texts(type: Type, ids: Int32Array, index: Interner): Column {
    if (this.#codes.length < index.size || this.#from > CODES_FROM_MAX) {
      this.#codes = new Int32Array(index.size * 2);
      this.#from = 1;
    }
    const codes = this.#codes;
    const from = this.#from;
    const values = new Uint32Array(ids.length);
    const offsets = new Uint32Array(ids.length + 1);
    const bytes = this.#bytes;
    bytes.truncate(0);
    let size = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      let code = (codes[id] as number) - from;
      if (code < 0) {
        code = size++;
        codes[id] = code + from;
        writeText(bytes, index, id);
        offsets[size] = bytes.position;
      }
      values[i] = code;
    }
    this.#from = from + size;
    const dictionary = new WholeDictionary(bytes.finish(), offsets.slice(0, size + 1));
    return { type, validity: null, storage: 'dictionary', values, dictionary };
  }
}

/** Appends the text of a key that is one: what stands behind its first byte and before its last two, where 00 FF is a zero byte. */
function writeText(to: ByteWriter, { bytes, offsets }: Interner, id: number): void {
  const end = (offsets[id + 1] as number) - 2;
  for (let at = (offsets[id] as number) + 1; at < end; at++) {
    const byte = bytes[at] as number;
    to.u8(byte);
    if (byte === 0) at++;
  }
}

/** What is known of a row but for what stands in its columns. */
export interface ResultRow {
  readonly stands: boolean;
  readonly stood: boolean;
  readonly rowtime: number;
  readonly origin: number | null;
}

/** Rows are held back over batches, and over moments where the context lets it. */
export class ReferenceOutput {
  readonly #schema: Schema;
  readonly #tables: ReferenceTable;
  readonly #holding: OperatorContext['holding'];
  readonly #keys: KeysByNumber;
  readonly #ids = new Int32Array(BATCH_ROWS_MAX);
  readonly #lefts = new Int32Array(BATCH_ROWS_MAX);
  readonly #rights = new Int32Array(BATCH_ROWS_MAX);
  readonly #rowtime = new Float64Array(BATCH_ROWS_MAX);
  readonly #op = new Uint8Array(BATCH_ROWS_MAX);
  readonly #origin = new Uint32Array(BATCH_ROWS_MAX);
  #hasOrigins = false;
  #valueNull: Bitmap | null = null;
  #count = 0;
  /** What the rows so far are of, each once, with what the origins of its rows count from. */
  #moments = new Map<Moment, number>();
  /** What is at hand, and what the origins of its rows count from. */
  #moment: Moment | null = null;
  #originsFrom = 0;
  #out: Emit = () => {};

  /** @param keys types of the key columns, with which rows begin */
  constructor(
    schema: Schema,
    keys: readonly Type[],
    tables: ReferenceTable,
    { holding }: OperatorContext,
  ) {
    this.#schema = schema;
    this.#keys = new KeysByNumber(keys);
    this.#tables = tables;
    this.#holding = holding;
  }

  /** Turns to what is at hand. */
  begin(out: Emit): void {
    this.#out = out;
    const moment = this.#holding?.moment ?? null;
    if (moment === null || moment === this.#moment) return;
    this.#turn(moment);
  }

  #turn(moment: Moment): void {
    let from = this.#moments.get(moment);
    if (from === undefined) {
      if (this.#count === 0 || this.#holding?.together === undefined) this.settle();
      const moments = [...this.#moments.keys(), moment];
      from = moments.length > 1 ? (this.#holding?.together?.(moments).from.at(-1) ?? 0) : 0;
      this.#moments.set(moment, from);
    }
    this.#moment = moment;
    this.#originsFrom = from;
  }

  /**
   * Adds the row of a key.
   * @param left NO_ROW: nulls, as `right`
   */
  add(
    id: number,
    left: number,
    right: number,
    { stands, stood, rowtime, origin }: ResultRow,
  ): void {
    if (this.#count === BATCH_ROWS_MAX) {
      const moment = this.#moment;
      this.settle();
      if (moment !== null) this.#turn(moment);
    }
    const row = this.#count++;
    this.#ids[row] = id;
    this.#lefts[row] = stands ? left : NO_ROW;
    this.#rights[row] = stands ? right : NO_ROW;
    this.#rowtime[row] = rowtime;
    this.#op[row] = stands ? (stood ? Op.UpdateAfter : Op.Insert) : Op.Delete;
    if (!stands) setBit((this.#valueNull ??= bitmap(BATCH_ROWS_MAX)), row);
    this.#hasOrigins = origin !== null;
    if (origin !== null) this.#origin[row] = origin + this.#originsFrom;
  }

  /** Emits the rows so far. */
  settle(): void {
    const [first, ...more] = this.#moments.keys();
    const count = this.#count;
    this.#moments.clear();
    this.#moment = null;
    this.#count = 0;
    if (count === 0) return;
    const tables = this.#tables;
    const batch: Batch = {
      schema: this.#schema,
      length: count,
      selection: null,
      columns: [
        ...this.#keys.columns(this.#ids.subarray(0, count), tables.index),
        ...tables.leftRows.columnsOf(this.#lefts.subarray(0, count)),
        ...tables.rightRows.columnsOf(this.#rights.subarray(0, count)),
      ],
      valueNull: this.#valueNull?.slice(0, (count + 7) >> 3) ?? null,
      keyNull: null,
      rowtime: this.#rowtime.slice(0, count),
      op: this.#op.slice(0, count),
      origin: this.#hasOrigins ? this.#origin.slice(0, count) : null,
    };
    this.#valueNull = null;
    const holding = this.#holding ?? null;
    if (first === undefined || holding === null) this.#out(batch);
    else if (more.length === 0) holding.emit(first, batch, this.#out);
    else holding.emit(together(holding, [first, ...more]).moment, batch, this.#out);
  }
}
