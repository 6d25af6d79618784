// One side of a join within windows: its rows by key, how they follow each other, and what has not been handed over; knows no store.

import { grown } from '../base/grown.ts';
import type { TableId } from '../ports/store.ts';
import { type KeptRows, NO_ROW } from './kept-rows.ts';
import { RowLinks } from './row-links.ts';

/** Words and time of a row in RowLinks, and the place of its key in `lasts`. */
const LINK_BYTES = 32;
/** What a side knows of a key's last row: nothing. */
export const UNKNOWN = -2;

export class Side {
  readonly table: TableId;
  kept: KeptRows;
  links: RowLinks;
  /** The greatest rowtime of the side, and what of it is committed. */
  timeMs: number;
  storedMs: number;
  /** Segments before that are gone from the table. */
  expiredMs = 0;
  /** By key its last row and 2; 0: not read yet. */
  lasts = new Int32Array(0);
  /** Rows that have not been handed over, in the order of their coming: of each run of numbers the first, and the one behind the last. */
  #fresh: number[] = [];

  constructor(table: TableId, kept: KeptRows, timeMs: number) {
    this.table = table;
    this.kept = kept;
    this.links = new RowLinks(kept);
    this.timeMs = timeMs;
    this.storedMs = timeMs;
  }

  /** What it takes in memory, roughly, without the bytes of its keys. */
  get bytesHeld(): number {
    return this.kept.bytesHeld + this.kept.size * LINK_BYTES;
  }

  /** UNKNOWN, NO_ROW or a row. */
  last(id: number): number {
    return id < this.lasts.length ? (this.lasts[id] as number) + UNKNOWN : UNKNOWN;
  }

  setLast(id: number, row: number): void {
    if (id >= this.lasts.length) this.lasts = grown(this.lasts, 2 * (id + 1));
    this.lasts[id] = row - UNKNOWN;
  }

  note(row: number): void {
    const runs = this.#fresh;
    if (runs.at(-1) === row) runs.pop();
    else runs.push(row);
    runs.push(row + 1);
  }

  takeFresh(): Int32Array {
    const runs = this.#fresh;
    this.#fresh = [];
    let count = 0;
    for (let i = 0; i < runs.length; i += 2) count += (runs[i + 1] as number) - (runs[i] as number);
    const fresh = new Int32Array(count);
    for (let i = runs.length; i > 0; i -= 2)
      for (let row = runs[i - 1] as number; row > (runs[i - 2] as number);) fresh[--count] = --row;
    return fresh;
  }

  /** The keys that have a row which is not before a time, and how many such rows there are. */
  living(firstMs: number): { readonly ids: readonly number[]; readonly rows: number } {
    const { links } = this;
    const ids: number[] = [];
    let rows = 0;
    for (let id = 0; id < this.lasts.length; id++) {
      const before = rows;
      for (let row = this.last(id); row >= 0 && links.ms(row) >= firstMs; row = links.before(row))
        rows++;
      if (rows > before) ids.push(id);
    }
    return { ids, rows };
  }

  /** Knows those keys alone from now on, by their places, and no row before a time. */
  keep(ids: readonly number[], firstMs: number): void {
    const { links } = this;
    const rows: number[] = [];
    const ends = ids.map((id) => {
      for (let row = this.last(id); row >= 0 && links.ms(row) >= firstMs; row = links.before(row))
        rows.push(row);
      return rows.length;
    });
    this.kept = this.kept.of(Int32Array.from(rows));
    this.links = new RowLinks(this.kept);
    let at = 0;
    this.lasts = Int32Array.from(ends, (end, id) => {
      const last = at < end ? at : Math.min(this.last(ids[id] as number), NO_ROW);
      for (; at < end; at++) {
        const row = rows[at] as number;
        const before = at + 1 < end ? at + 1 : NO_ROW;
        this.links.add(at, id, before, links.number(row), links.ms(row));
        this.links.setWaits(at, links.waits(row));
      }
      return last - UNKNOWN;
    });
  }
}
