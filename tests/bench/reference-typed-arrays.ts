// The fast way in JavaScript: open addressing over typed arrays, keyed by window and key code; knows no kernel.

import type { EventBatch } from './events.ts';
import type { Emission } from './reference-map.ts';

const EMPTY = -1;

/** What a batch hands on, as columns that the next batch overwrites; only `results` and `rows` fill all of them. */
export interface EmittedColumns {
  length: number;
  readonly code: Uint32Array;
  readonly windowStart: Float64Array;
  readonly rowtime: Float64Array;
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly average: Float64Array;
}

/** Columns that the next batch leaves alone, as an operator emits them. */
function copyOf(from: EmittedColumns): EmittedColumns {
  return {
    length: from.length,
    code: from.code.slice(0, from.length),
    windowStart: from.windowStart.slice(0, from.length),
    rowtime: from.rowtime.slice(0, from.length),
    count: from.count.slice(0, from.length),
    sum: from.sum.slice(0, from.length),
    min: from.min.slice(0, from.length),
    max: from.max.slice(0, from.length),
    average: from.average.slice(0, from.length),
  };
}

/** One table of one window. */
class Table {
  start = 0;
  size = 0;
  slots: Int32Array;
  code: Int32Array;
  stamp: Uint32Array;
  rowtime: Float64Array;
  count: Float64Array;
  sum: Float64Array;
  min: Float64Array;
  max: Float64Array;

  constructor(capacity: number) {
    this.slots = new Int32Array(capacity * 2).fill(EMPTY);
    this.code = new Int32Array(capacity);
    this.stamp = new Uint32Array(capacity);
    this.rowtime = new Float64Array(capacity);
    this.count = new Float64Array(capacity);
    this.sum = new Float64Array(capacity);
    this.min = new Float64Array(capacity);
    this.max = new Float64Array(capacity);
  }

  clear(start: number): void {
    this.start = start;
    this.size = 0;
    this.slots.fill(EMPTY);
  }

  grow(): void {
    const larger = new Table(this.code.length * 2);
    larger.code.set(this.code);
    larger.stamp.set(this.stamp);
    larger.rowtime.set(this.rowtime);
    larger.count.set(this.count);
    larger.sum.set(this.sum);
    larger.min.set(this.min);
    larger.max.set(this.max);
    const mask = larger.slots.length - 1;
    for (let slot = 0; slot < this.size; slot += 1) {
      let place = (Math.imul(this.code[slot] ?? 0, 0x9e3779b1) >>> 7) & mask;
      while ((larger.slots[place] ?? 0) !== EMPTY) place = (place + 1) & mask;
      larger.slots[place] = slot;
    }
    const { start, size } = this;
    Object.assign(this, larger, { start, size });
  }

  /** The slot of a code, made where there is none. */
  find(code: number): number {
    const mask = this.slots.length - 1;
    let place = (Math.imul(code, 0x9e3779b1) >>> 7) & mask;
    for (;;) {
      const slot = this.slots[place] ?? 0;
      if (slot === EMPTY) break;
      if (this.code[slot] === code) return slot;
      place = (place + 1) & mask;
    }
    if (this.size === this.code.length) {
      this.grow();
      return this.find(code);
    }
    const slot = this.size;
    this.size += 1;
    this.slots[place] = slot;
    this.code[slot] = code;
    this.stamp[slot] = 0;
    this.rowtime[slot] = 0;
    this.count[slot] = 0;
    this.sum[slot] = 0;
    this.min[slot] = Infinity;
    this.max[slot] = -Infinity;
    return slot;
  }
}

/** Tumbling COUNT, SUM, MIN, MAX, AVG by key code; one table per open window, closed ones used again. */
export class TypedArrays {
  readonly #tables = new Map<number, Table>();
  readonly #pool: Table[] = [];
  readonly #touched: Int32Array;
  readonly #touchedTables: Table[] = [];
  readonly #sizeMs: number;
  readonly #graceMs: number;
  readonly #emission: Emission;
  readonly emitted: EmittedColumns;
  #streamTime = -Infinity;
  #batches = 0;
  late = 0;

  constructor(sizeMs: number, graceMs: number, rowsMax: number, emission: Emission) {
    this.#sizeMs = sizeMs;
    this.#emission = emission;
    this.#graceMs = graceMs;
    this.#touched = new Int32Array(rowsMax);
    const doubles = (): Float64Array => new Float64Array(rowsMax);
    this.emitted = {
      length: 0,
      code: new Uint32Array(rowsMax),
      windowStart: doubles(),
      rowtime: doubles(),
      count: doubles(),
      sum: doubles(),
      min: doubles(),
      max: doubles(),
      average: doubles(),
    };
  }

  process(batch: EventBatch): EmittedColumns {
    const { codes, rowtime, value, length } = batch;
    const sizeMs = this.#sizeMs;
    const stamp = (this.#batches += 1);
    const perRow = this.#emission === 'rows';
    const touched = this.#touched;
    const tables = this.#touchedTables;
    let now = this.#streamTime;
    let table: Table | null = null;
    let out = 0;
    for (let i = 0; i < length; i += 1) {
      const time = rowtime[i] ?? 0;
      if (time > now) now = time;
      if (table === null || time < table.start || time >= table.start + sizeMs) {
        const start = Math.floor(time / sizeMs) * sizeMs;
        if (start + sizeMs <= now - this.#graceMs) {
          this.late += 1;
          continue;
        }
        table = this.#tableAt(start);
      } else if (table.start + sizeMs <= now - this.#graceMs) {
        this.late += 1;
        continue;
      }
      const x = value[i] ?? 0;
      const slot = table.find(codes[i] ?? 0);
      table.count[slot] = (table.count[slot] ?? 0) + 1;
      table.sum[slot] = (table.sum[slot] ?? 0) + x;
      if (x < (table.min[slot] ?? 0)) table.min[slot] = x;
      if (x > (table.max[slot] ?? 0)) table.max[slot] = x;
      if (time > (table.rowtime[slot] ?? 0)) table.rowtime[slot] = time;
      if (perRow) this.#write(table, slot, out++);
      else if (table.stamp[slot] !== stamp) {
        table.stamp[slot] = stamp;
        touched[out] = slot;
        tables[out] = table;
        out += 1;
      }
    }
    this.#streamTime = now;
    this.#expire(now);
    if (!perRow) this.#list(out);
    this.emitted.length = out;
    return perRow ? copyOf(this.emitted) : this.emitted;
  }

  #tableAt(start: number): Table {
    const known = this.#tables.get(start);
    if (known !== undefined) return known;
    const table = this.#pool.pop() ?? new Table(1024);
    table.clear(start);
    this.#tables.set(start, table);
    return table;
  }

  #list(count: number): void {
    const { emitted } = this;
    const withResults = this.#emission === 'results';
    for (let j = 0; j < count; j += 1) {
      const slot = this.#touched[j] ?? 0;
      const table = this.#touchedTables[j];
      if (table === undefined) continue;
      if (withResults) this.#write(table, slot, j);
      else {
        emitted.code[j] = table.code[slot] ?? 0;
        emitted.windowStart[j] = table.start;
        emitted.rowtime[j] = table.rowtime[slot] ?? 0;
      }
    }
  }

  #write(table: Table, slot: number, j: number): void {
    const { emitted } = this;
    const rows = table.count[slot] ?? 0;
    const sum = table.sum[slot] ?? 0;
    emitted.code[j] = table.code[slot] ?? 0;
    emitted.windowStart[j] = table.start;
    emitted.rowtime[j] = table.rowtime[slot] ?? 0;
    emitted.count[j] = rows;
    emitted.sum[j] = sum;
    emitted.min[j] = table.min[slot] ?? 0;
    emitted.max[j] = table.max[slot] ?? 0;
    emitted.average[j] = sum / rows;
  }

  #expire(now: number): void {
    for (const [start, table] of this.#tables) {
      if (start + this.#sizeMs > now - this.#graceMs) continue;
      this.#tables.delete(start);
      this.#pool.push(table);
    }
  }
}
