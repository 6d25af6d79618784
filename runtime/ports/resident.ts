// A task's state tables held in memory, for stores that cannot read synchronously or have nothing else; knows no database.

import { RESIDENT_STATE_BYTES_MAX } from '../base/limits.ts';
import { OrderedMap } from '../data/ordered-map.ts';
import { PENDING_BLOCKS } from './parts.ts';
import type { Pending } from './pending-packs.ts';
import type {
  Entry,
  KeyRange,
  StateBlock,
  StateBytes,
  StatePack,
  StateReader,
  TableId,
  TaskId,
} from './store.ts';

/** Entries of blocks that wait, per table that has been read, for somebody to read them: whoever reads again must not wait long. */
const PENDING_ENTRIES_MAX = 65_536;

/**
 * The committed state of one task; the store calls `apply` once a commit has succeeded, and only then. Blocks are taken by a part:
 * `refuseTooLarge` asks for it too, so that a commit with blocks comes upon its absence before anything has changed.
 */
export class ResidentTables implements StateReader {
  readonly #tables = new Map<TableId, OrderedMap>();
  /** Laid over the tables, and put into them when they are read. */
  readonly #pending = new Map<TableId, Pending>();
  /** Tables that somebody has read since blocks came: of others, such as a push query's, nobody may ever ask for a key. */
  readonly #read = new Set<TableId>();

  /** The tables that were ever written to. */
  get ids(): readonly TableId[] {
    return [...new Set([...this.#tables.keys(), ...this.#pending.keys()])];
  }

  get(table: TableId, key: Uint8Array): Uint8Array | null {
    this.#show(table);
    return this.#tables.get(table)?.get(key) ?? null;
  }

  /** Every entry, in any order. */
  entries(table: TableId): Iterable<Entry> {
    this.#settle(table);
    return this.#tables.get(table)?.entries() ?? [];
  }

  /** @throws {PartMissing} from the first step */
  scan(table: TableId, range: KeyRange): Iterable<Entry> {
    this.#show(table);
    return this.#tables.get(table)?.scan(range) ?? [];
  }

  scanSettled(table: TableId, range: KeyRange): Iterable<Entry> {
    return this.#tables.get(table)?.scan(range) ?? [];
  }

  /** Copies what it is given. */
  apply(changes: readonly StateBytes[], blocks: readonly (StateBlock | StatePack)[] = []): void {
    for (const { table, key, value } of changes) {
      this.#settle(table);
      this.#table(table).set(key, value);
    }
    for (const block of blocks) {
      const { table } = block;
      if (this.#pending.get(table)?.fits(block) === false) this.#settle(table);
      let pending = this.#pending.get(table);
      if (pending === undefined) {
        pending = PENDING_BLOCKS.code.pendingOf(block);
        this.#pending.set(table, pending);
      }
      pending.apply(block);
      if (pending.size > PENDING_ENTRIES_MAX && (pending.grows || this.#read.has(table)))
        this.#settle(table);
    }
  }

  #table(table: TableId): OrderedMap {
    let map = this.#tables.get(table);
    if (map === undefined) this.#tables.set(table, (map = new OrderedMap()));
    return map;
  }

  #show(table: TableId): void {
    if (!this.#pending.has(table)) return;
    this.#read.add(table);
    this.#settle(table);
  }

  /** Puts what came as blocks where it is found by key. */
  #settle(table: TableId): void {
    const pending = this.#pending.get(table);
    if (pending === undefined) return;
    this.#pending.delete(table);
    const map = this.#table(table);
    pending.each((key, value) => map.set(key, value));
  }

  /**
   * Refuses changes after which the task would hold too much.
   * @throws {PortError} STORAGE_FULL (detail.limit): nothing was changed; {PartMissing}
   */
  refuseTooLarge(
    task: TaskId,
    changes: readonly StateBytes[],
    bytesMax: number = RESIDENT_STATE_BYTES_MAX,
    blocks: readonly (StateBlock | StatePack)[] = [],
  ): void {
    // Mostly there is room even if every key were a new one.
    if (this.bytes + grownBy(changes, blocks) <= bytesMax) return;
    for (const table of this.ids) this.#settle(table);
    const after = { task, changes, blocks, bytesMax };
    PENDING_BLOCKS.code.refuseTooMuch(this, this.bytes, after);
  }

  /** What is held; what came as blocks roughly. */
  get bytes(): number {
    let bytes = 0;
    for (const table of this.#tables.values()) bytes += table.bytes;
    for (const pending of this.#pending.values()) bytes += pending.bytes;
    return bytes;
  }
}

/** What the changes take at most, were every key a new one; of blocks roughly. */
function grownBy(
  changes: readonly StateBytes[],
  blocks: readonly (StateBlock | StatePack)[],
): number {
  let bytes = 0;
  for (const { key, value } of changes) {
    if (value !== null) bytes += value.length + OrderedMap.entryBytes(key);
  }
  for (const block of blocks) bytes += PENDING_BLOCKS.code.bytesOf(block);
  return bytes;
}
