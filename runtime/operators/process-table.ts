// A state table of a processor as code reads and writes it: rows by key bytes over a store; knows no record and no output.

import { concatBytes } from '../base/byte-arrays.ts';
import { messageOf, PortError, TaskCorrupted } from '../base/errors.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../base/limits.ts';
import { decodeCells, encodeCells } from '../data/cells.ts';
import { decodeKey, encodeKey, prefixRange } from '../data/key.ts';
import type { Type, Value } from '../data/type.ts';
import type { ProcessorColumn, ProcessorState } from '../functions/user-processor.ts';
import { checked } from '../functions/user-values.ts';
import type { Entry, KeyRange, StateBytes, StateReader, TableId } from '../ports/store.ts';
import { OrderedTable } from '../state/ordered-table.ts';

/** Rows that a scan holds at once. */
const SCANNED_ROWS = 256;
/** Behind a key's bytes: the first key after it. */
const NEXT = new Uint8Array(1);

type Row = Readonly<Record<string, Value | undefined>>;

/** What the operator gives its tables. */
interface Access {
  /** Of the record or the moment that is worked on. */
  readonly rowtime: () => number;
  /** Throws where code is not being called, and keeps faults that code may catch. */
  readonly guarded: <T>(work: () => T) => T;
}

interface ScannedRow {
  readonly key: Row;
  readonly value: Row;
}

/** Rows have the bytes that `materialize` gives them: key columns, then rowtime and value columns as cells. */
export class CodeTable {
  readonly #name: string;
  readonly #table: OrderedTable;
  readonly #keys: readonly ProcessorColumn[];
  readonly #keyTypes: readonly Type[];
  readonly #values: readonly ProcessorColumn[];
  readonly #valueTypes: readonly Type[];
  readonly #access: Access;

  constructor(id: TableId, { name, columns }: ProcessorState, state: StateReader, access: Access) {
    this.#name = name;
    this.#table = new OrderedTable(id, state);
    this.#keys = columns.key;
    this.#keyTypes = columns.key.map(({ type }) => type);
    this.#values = columns.value;
    this.#valueTypes = columns.value.map(({ type }) => type);
    this.#access = access;
  }

  /** What code is given of it: nothing of the operator's own. */
  get given(): object {
    return Object.freeze({
      get: (key: Row) => this.#get(key),
      set: (key: Row, value: Row) => this.#set(key, value),
      delete: (key: Row) => this.#delete(key),
      scan: (first?: Row) => this.#scan(first),
    });
  }

  #get(key: Row): Row | null {
    return this.#access.guarded(() => {
      const bytes = this.#table.get(this.#keyBytes(key));
      return bytes === null ? null : this.#valueOf(bytes);
    });
  }

  #set(key: Row, value: Row): void {
    this.#access.guarded(() => {
      const at = this.#keyBytes(key);
      const cells = this.#cellsOf(value, this.#values);
      const bytes = encodeCells(this.#valueTypes, this.#access.rowtime(), cells);
      this.#refuseLong('value', bytes, VALUE_BYTES_MAX);
      this.#table.set(at, bytes);
    });
  }

  #delete(key: Row): void {
    this.#access.guarded(() => this.#table.set(this.#keyBytes(key), null));
  }

  /** By pieces of SCANNED_ROWS, so that what it sees of what is set meanwhile follows from the rows alone and not from commits. */
  *#scan(first: Row = {}): Iterable<ScannedRow> {
    let range: KeyRange | null = this.#access.guarded(() => this.#rangeOf(first));
    while (range !== null) {
      const asked: KeyRange = range;
      const { rows, next } = this.#access.guarded(() => this.#piece(asked));
      yield* rows;
      range = next;
    }
  }

  #piece(range: KeyRange): {
    readonly rows: readonly ScannedRow[];
    readonly next: KeyRange | null;
  } {
    const found: Entry[] = [];
    for (const entry of this.#table.scan(range)) {
      found.push(entry);
      if (found.length === SCANNED_ROWS) break;
    }
    const rows = found.map(({ key, value }) => ({
      key: this.#keyOf(key),
      value: this.#valueOf(value),
    }));
    const last = found.length === SCANNED_ROWS ? found.at(-1) : undefined;
    if (last === undefined) return { rows, next: null };
    return { rows, next: { from: concatBytes([last.key, NEXT]), to: range.to } };
  }

  #rangeOf(first: Row): KeyRange {
    const given = this.#keys.findIndex(({ property }) => first[property] === undefined);
    const columns = given === -1 ? this.#keys : this.#keys.slice(0, given);
    const values = this.#cellsOf(first, columns, 'the first key columns');
    if (columns.length === 0) return { from: null, to: null };
    return prefixRange(encodeKey(this.#keyTypes.slice(0, columns.length), values));
  }

  #keyBytes(key: Row): Uint8Array {
    const values = this.#cellsOf(key, this.#keys);
    const missing = this.#keys.find((_, index) => values[index] === null);
    if (missing !== undefined)
      throw new TypeError(`${this.#name}.${missing.name} is a key: it is not null`);
    const bytes = encodeKey(this.#keyTypes, values);
    this.#refuseLong('key', bytes, KEY_BYTES_MAX);
    return bytes;
  }

  /** @throws {TypeError} when columns are missing, unknown or not of their type */
  #cellsOf(row: Row, columns: readonly ProcessorColumn[], which = ''): readonly Value[] {
    const unknown = Object.keys(row).find(
      (given) => row[given] !== undefined && !columns.some(({ property }) => property === given),
    );
    if (unknown !== undefined) {
      const why = which === '' ? 'has no such column here' : `takes ${which} alone`;
      throw new TypeError(`${this.#name} ${why}: ${unknown}`);
    }
    return columns.map(({ property, name, type }) => {
      const value = row[property];
      if (value === undefined) throw new TypeError(`${this.#name}.${name} is not given`);
      try {
        return checked(`${this.#name}.${name}`, type, value);
      } catch (thrown) {
        throw new TypeError(messageOf(thrown), { cause: thrown });
      }
    });
  }

  #refuseLong(what: string, { length }: Uint8Array, max: number): void {
    if (length > max)
      throw new RangeError(`a ${what} of ${this.#name} has ${length} bytes, more than ${max}`);
  }

  #keyOf(bytes: Uint8Array): Row {
    const { values } = this.#decoded(() => decodeKey(this.#keyTypes, bytes));
    return rowOf(this.#keys, values);
  }

  #valueOf(bytes: Uint8Array): Row {
    const { values } = this.#decoded(() => decodeCells(this.#valueTypes, bytes));
    return rowOf(this.#values, values);
  }

  #decoded<T>(decode: () => T): T {
    try {
      return decode();
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      throw new TaskCorrupted(`a row of ${this.#name}: ${thrown.message}`, { cause: thrown });
    }
  }

  changes(into: (change: StateBytes) => void): void {
    this.#table.changes(into);
  }
}

function rowOf(columns: readonly ProcessorColumn[], values: readonly Value[]): Row {
  return Object.fromEntries(
    columns.map(({ property }, index) => [property, values[index] ?? null]),
  );
}
