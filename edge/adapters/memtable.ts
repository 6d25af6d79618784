// State changes that are durable as deltas but not yet folded into the sorted table: kept in memory, laid over it; knows no SQL.

import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import { MARK, OrderedMap } from '../../runtime/data/ordered-map.ts';
import type { Entry, StateBytes, TableId } from '../../runtime/ports/store.ts';

/** The newest value of each changed key, by table; MARK: it is removed. */
export class Memtable {
  readonly #tables = new Map<TableId, OrderedMap>();
  /** Bytes of the deltas that it was made from. */
  deltaBytes = 0;

  apply(changes: readonly StateBytes[]): void {
    for (const { table, key, value } of changes) {
      let map = this.#tables.get(table);
      if (map === undefined) this.#tables.set(table, (map = new OrderedMap()));
      map.set(key, value ?? MARK);
    }
  }

  table(table: TableId): OrderedMap | null {
    return this.#tables.get(table) ?? null;
  }

  get tables(): Iterable<readonly [TableId, OrderedMap]> {
    return this.#tables;
  }

  clear(): void {
    this.#tables.clear();
    this.deltaBytes = 0;
  }
}

/** Two runs in byte order as one; where both have a key, the one above counts, and a removed key is left out. */
export function* overlaid(below: Iterable<Entry>, above: Iterable<Entry>): Iterable<Entry> {
  const low = below[Symbol.iterator]();
  const high = above[Symbol.iterator]();
  let a = low.next();
  let b = high.next();
  while (a.done !== true || b.done !== true) {
    const order =
      a.done === true ? 1 : b.done === true ? -1 : compareBytes(a.value.key, b.value.key);
    if (order < 0 && a.done !== true) yield a.value;
    else if (b.done !== true && b.value.value !== MARK) yield b.value;
    if (order <= 0) a = low.next();
    if (order >= 0) b = high.next();
  }
}
