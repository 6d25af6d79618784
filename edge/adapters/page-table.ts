// State tables as pages in an object's SQLite: read by key or in order, and changes folded in; knows no delta and no commit.

import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { STATE_PAGES_KEPT_BYTES_MAX, STATE_PAGES_KEPT_MAX } from '../../runtime/base/limits.ts';
import type { Entry, KeyRange, StateBytes, TableId } from '../../runtime/ports/store.ts';
import { LongRows } from './long-rows.ts';
import {
  cutIntoPages,
  encodePage,
  entryBytes,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  StatePage,
} from './state-page.ts';

/** A page holds the keys from `first` on, up to the `first` of the next one; below the first of all there is no key. */
const TABLES = `
CREATE TABLE IF NOT EXISTS page(
  id INTEGER PRIMARY KEY, task INTEGER NOT NULL, tbl TEXT NOT NULL, first BLOB NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS page_first ON page(task, tbl, first);
`;

interface PageRow {
  [column: string]: SqlStorageValue;
  id: number;
  first: ArrayBuffer;
}

interface Place {
  readonly id: number;
  readonly first: Uint8Array;
}

/** Changes of one table, in the order of their keys; `value` null removes the key. */
export type Change = Pick<StateBytes, 'key' | 'value'>;

/** Changes that are not laid over pages yet. */
class Rest {
  readonly #changes: Iterator<Change>;
  /** null: none is left. */
  first: Change | null = null;

  constructor(changes: Iterable<Change>) {
    this.#changes = changes[Symbol.iterator]();
    this.step();
  }

  firstBelow(bound: Uint8Array | null): Change | null {
    const { first } = this;
    return first !== null && (bound === null || compareBytes(first.key, bound) < 0) ? first : null;
  }

  step(): void {
    const next = this.#changes.next();
    this.first = next.done === true ? null : next.value;
  }
}

/** Entries of pages that follow each other, with changes laid over them. */
class Merged {
  readonly entries: Entry[] = [];
  bytes = 0;

  /** @param bound changes from this key on are left; null: none is */
  add(page: StatePage | null, rest: Rest, bound: Uint8Array | null): void {
    let at = 0;
    for (;;) {
      const change = rest.firstBelow(bound);
      if (change === null) break;
      const { key, value } = change;
      if (page !== null) {
        const until = page.lowerBound(key);
        this.#copy(page, at, until);
        at = page.holds(until, key) ? until + 1 : until;
      }
      if (value !== null) this.#push({ key, value });
      rest.step();
    }
    if (page !== null) this.#copy(page, at, page.count);
  }

  #copy(page: StatePage, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#push({ key: page.key(i), value: page.value(i) });
  }

  #push(entry: Entry): void {
    this.entries.push(entry);
    this.bytes += entryBytes(entry);
  }
}

/** All tables of all tasks of an object. Rows written: one a page that changes, one more where a page is made or goes. */
export class PageTables {
  readonly #sql: SqlStorage;
  /** Verified pages by id, the one that was used last at the end. */
  readonly #kept = new Map<number, StatePage>();
  #keptBytes = 0;
  readonly #long: LongRows;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
    this.#long = new LongRows(sql, 'page');
  }

  /** Pages held in memory: at most STATE_PAGES_KEPT_MAX, and where there are several of STATE_PAGES_KEPT_BYTES_MAX. */
  get kept(): number {
    return this.#kept.size;
  }

  /** A view of the value. @throws {TaskCorrupted} */
  get(task: number, table: TableId, key: Uint8Array): Uint8Array | null {
    const place = this.#placeOf(task, table, key);
    return place === null ? null : this.#page(place.id).get(key);
  }

  /** Entries of a range, in the order of their keys, as views. @throws {TaskCorrupted} */
  *scan(task: number, table: TableId, { from, to }: KeyRange): Iterable<Entry> {
    let place =
      (from === null ? null : this.#placeOf(task, table, from)) ?? this.#first(task, table);
    while (place !== null) {
      const page = this.#page(place.id);
      const end = to === null ? page.count : page.lowerBound(to);
      for (let i = from === null ? 0 : page.lowerBound(from); i < end; i++)
        yield { key: page.key(i), value: page.value(i) };
      if (end < page.count) return;
      place = this.#behind(task, table, place.first);
    }
  }

  /** Lays changes over a table, within the caller's transaction. Cost: reads and writes each page that changes, once. @throws {TaskCorrupted} */
  fold(task: number, table: TableId, changes: Iterable<Change>): void {
    const rest = new Rest(changes);
    for (let { first } = rest; first !== null; first = rest.first) {
      const place = this.#placeOf(task, table, first.key) ?? this.#first(task, table);
      const merged = new Merged();
      let page = place === null ? null : this.#stored(place.id);
      let next = place === null ? null : this.#behind(task, table, place.first);
      merged.add(page, rest, next?.first ?? null);
      // A page that has become short takes in the next one, unless that holds one long entry.
      while (next !== null && merged.bytes < PAGE_BYTES_MIN && next.lengthBytes <= PAGE_BYTES_MAX) {
        page = this.#stored(next.id);
        this.#remove(next.id);
        next = this.#behind(task, table, next.first);
        merged.add(page, rest, next?.first ?? null);
      }
      this.#write(task, table, place, merged.entries);
    }
  }

  /** Forgets all tables of a task. */
  removeAll(task: number): void {
    this.#long.removeAll(task);
    this.#sql.exec('DELETE FROM page WHERE task = ?', task);
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  #write(task: number, table: TableId, place: Place | null, entries: readonly Entry[]): void {
    let own = place;
    for (const page of cutIntoPages(entries)) {
      const bytes = encodePage(page);
      const first = page[0]?.key ?? bytes;
      const data = this.#long.first(bytes);
      if (own === null) {
        const { id } = this.#sql
          .exec<{ id: number }>(
            'INSERT INTO page(task, tbl, first, data) VALUES (?, ?, ?, ?) RETURNING id',
            task,
            table,
            first,
            data,
          )
          .one();
        this.#long.putRest(id, bytes);
        continue;
      }
      this.#forget(own.id);
      // Its keys may begin higher now: only one that lies below must move the bound, which is in the index.
      if (compareBytes(first, own.first) >= 0)
        this.#sql.exec('UPDATE page SET data = ? WHERE id = ?', data, own.id);
      else this.#sql.exec('UPDATE page SET first = ?, data = ? WHERE id = ?', first, data, own.id);
      this.#long.putRest(own.id, bytes);
      own = null;
    }
    if (own !== null) this.#remove(own.id);
  }

  #forget(id: number): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#keptBytes -= kept.bytes.length;
  }

  #remove(id: number): void {
    this.#forget(id);
    this.#long.remove(id);
    this.#sql.exec('DELETE FROM page WHERE id = ?', id);
  }

  /** The page that a key is in, or would be; null when it lies below all pages. */
  #placeOf(task: number, table: TableId, key: Uint8Array): Place | null {
    const [row] = this.#sql
      .exec<PageRow>(
        'SELECT id, first FROM page WHERE task = ? AND tbl = ? AND first <= ? ORDER BY first DESC LIMIT 1',
        task,
        table,
        key,
      )
      .toArray();
    return row === undefined ? null : { id: row.id, first: new Uint8Array(row.first) };
  }

  #first(task: number, table: TableId): Place | null {
    const [row] = this.#sql
      .exec<PageRow>(
        'SELECT id, first FROM page WHERE task = ? AND tbl = ? ORDER BY first LIMIT 1',
        task,
        table,
      )
      .toArray();
    return row === undefined ? null : { id: row.id, first: new Uint8Array(row.first) };
  }

  #behind(
    task: number,
    table: TableId,
    first: Uint8Array,
  ): (Place & { readonly lengthBytes: number }) | null {
    const [row] = this.#sql
      .exec<PageRow & { lengthBytes: number }>(
        'SELECT id, first, length(data) AS lengthBytes FROM page WHERE task = ? AND tbl = ? AND first > ? ORDER BY first LIMIT 1',
        task,
        table,
        first,
      )
      .toArray();
    if (row === undefined) return null;
    return { id: row.id, first: new Uint8Array(row.first), lengthBytes: row.lengthBytes };
  }

  #page(id: number): StatePage {
    const kept = this.#kept.get(id);
    const page = kept ?? this.#stored(id);
    if (kept !== undefined) this.#kept.delete(id);
    else this.#makeRoom(page);
    this.#kept.set(id, page);
    return page;
  }

  /** The oldest pages go until there is room for one more. */
  #makeRoom({ bytes }: StatePage): void {
    this.#keptBytes += bytes.length;
    for (const [oldest] of this.#kept) {
      const { size } = this.#kept;
      if (size < STATE_PAGES_KEPT_MAX && this.#keptBytes <= STATE_PAGES_KEPT_BYTES_MAX) return;
      this.#forget(oldest);
    }
  }

  #stored(id: number): StatePage {
    const { data } = this.#sql
      .exec<{ data: ArrayBuffer }>('SELECT data FROM page WHERE id = ?', id)
      .one();
    return new StatePage(this.#long.whole(id, data));
  }
}
