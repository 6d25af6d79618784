// A task's state tables held in memory, for stores that cannot read synchronously or have nothing else; knows no database.

import { PortError } from '../base/errors.ts';
import { RESIDENT_STATE_BYTES_MAX } from '../base/limits.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import type { Entry, KeyRange, StateBytes, StateReader, TableId, TaskId } from './store.ts';

/** The committed state of one task; the store calls `apply` once a commit has succeeded, and only then. */
export class ResidentTables implements StateReader {
  readonly #tables = new Map<TableId, OrderedMap>();

  /** The tables that were ever written to. */
  get ids(): readonly TableId[] {
    return [...this.#tables.keys()];
  }

  get(table: TableId, key: Uint8Array): Uint8Array | null {
    return this.#tables.get(table)?.get(key) ?? null;
  }

  scan(table: TableId, range: KeyRange): Iterable<Entry> {
    return this.#tables.get(table)?.scan(range) ?? [];
  }

  /** The arrays are kept, not copied: nobody may write to them. */
  apply(changes: readonly StateBytes[]): void {
    for (const { table, key, value } of changes) {
      let map = this.#tables.get(table);
      if (map === undefined) this.#tables.set(table, (map = new OrderedMap()));
      map.set(key, value);
    }
  }

  /**
   * Refuses changes after which the task would hold too much.
   * @throws {PortError} STORAGE_FULL (detail.limit): nothing was changed
   */
  refuseTooLarge(
    task: TaskId,
    changes: readonly StateBytes[],
    bytesMax: number = RESIDENT_STATE_BYTES_MAX,
  ): void {
    let held = 0;
    for (const table of this.#tables.values()) held += table.bytes;
    // Mostly there is room even if every key were a new one.
    let most = held;
    for (const { key, value } of changes)
      if (value !== null) most += value.length + OrderedMap.entryBytes(key);
    if (most <= bytesMax) return;
    for (const { table, key, value } of changes) {
      const before = this.get(table, key);
      if (before !== null) held -= before.length + OrderedMap.entryBytes(key);
      if (value !== null) held += value.length + OrderedMap.entryBytes(key);
    }
    if (changes.length === 0 || held <= bytesMax) return;
    throw new PortError(
      'STORAGE_FULL',
      `task '${task}' would hold ${held} bytes of state; RESIDENT_STATE_BYTES_MAX is ${bytesMax}`,
      { limit: 'RESIDENT_STATE_BYTES_MAX' },
    );
  }

  /** The same entries in tables of their own. */
  copy(): ResidentTables {
    const copy = new ResidentTables();
    for (const [table, map] of this.#tables) {
      copy.apply([...map.scan({ from: null, to: null })].map((entry) => ({ table, ...entry })));
    }
    return copy;
  }
}
