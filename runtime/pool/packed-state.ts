// State as it crosses between threads: entries side by side in buffers of their own, table by table; knows no port.

import { STATE_PAGE_BYTES_MAX } from '../base/limits.ts';
import { isPack } from '../ports/pending-packs.ts';
import type {
  BlockNames,
  Commit,
  Entry,
  StateBytes,
  StateReader,
  TableId,
} from '../ports/store.ts';
import { EntryWriter, packOf, type PackedEntries } from '../state/packing.ts';

/** Bytes of a key, for a first estimate. */
const KEY_BYTES = 24;
const KEYS_KEPT_MAX = 262_144;

/** Keys that were asked for, as bytes: a group that changes again costs no new one. At most KEYS_KEPT_MAX of one kernel. */
class KeptKeys implements BlockNames {
  readonly #names: BlockNames;
  readonly #byStart = new Map<number, Uint8Array[]>();
  #count = 0;

  constructor(names: BlockNames) {
    this.#names = names;
  }

  key(id: number, startMs: number): Uint8Array {
    let keys = this.#byStart.get(startMs);
    let key = keys?.[id];
    if (key !== undefined) return key;
    if (this.#count === KEYS_KEPT_MAX) {
      this.#byStart.clear();
      this.#count = 0;
      keys = undefined;
    }
    if (keys === undefined) this.#byStart.set(startMs, (keys = []));
    keys[id] = key = this.#names.key(id, startMs);
    this.#count += 1;
    return key;
  }
}

const kept = new WeakMap<BlockNames, KeptKeys>();

function keysOf(names: BlockNames): KeptKeys {
  let keys = kept.get(names);
  if (keys === undefined) kept.set(names, (keys = new KeptKeys(names)));
  return keys;
}

/** What goes over with packs: their buffers, which then are on the other side alone. */
export function buffersOf(packs: readonly PackedEntries[]): ArrayBuffer[] {
  return packs.flatMap(({ bytes, ends, removed }) =>
    [bytes, ends, removed].map(({ buffer }) => buffer as ArrayBuffer),
  );
}

/** Copies of the changes of a commit, a pack a table. */
export function packsOf({
  changes,
  blocks = [],
}: Pick<Commit, 'changes' | 'blocks'>): PackedEntries[] {
  const writers = new Map<TableId, EntryWriter>();
  const writerOf = (table: TableId): EntryWriter => {
    let writer = writers.get(table);
    if (writer === undefined) writers.set(table, (writer = new EntryWriter()));
    return writer;
  };
  for (const { table, key, value } of changes) writerOf(table).add(key, key.length, value);
  for (const block of blocks) {
    const writer = writerOf(block.table);
    if (isPack(block)) block.each((key, value) => writer.add(key, key.length, value));
    else {
      const { names, ids, starts, values, valueBytes } = block;
      writer.reserve(ids.length, ids.length * (valueBytes + KEY_BYTES));
      const keys = keysOf(names);
      for (let i = 0, at = 0; i < ids.length; i++, at += valueBytes) {
        const key = keys.key(ids[i] as number, starts[i] as number);
        writer.add(key, key.length, values, at, at + valueBytes);
      }
    }
  }
  return [...writers].map(([table, writer]) => writer.finish(table));
}

/** The changes that packs hold, as views of them. */
export function changesOf(packs: readonly PackedEntries[]): StateBytes[] {
  const changes: StateBytes[] = [];
  for (const pack of packs) {
    const { table } = pack;
    packOf(pack, null).each((key, value) => changes.push({ table, key, value }));
  }
  return changes;
}

/** Entries of one table, and the key behind which it goes on; null: that was all. */
export interface StatePage {
  readonly pack: PackedEntries;
  readonly after: Uint8Array | null;
}

/** Entries of a table behind a key, from the first one on where it is null: as many as fit a message. */
export function pageOf(
  state: Pick<StateReader, 'scan'>,
  table: TableId,
  behind: Uint8Array | null,
  bytesMax: number = STATE_PAGE_BYTES_MAX,
): StatePage {
  const writer = new EntryWriter();
  let last: Entry | null = null;
  for (const entry of state.scan(table, { from: behind && next(behind), to: null })) {
    if (last !== null && writer.lengthBytes + entry.key.length + entry.value.length > bytesMax)
      return { pack: writer.finish(table), after: last.key.slice() };
    writer.add(entry.key, entry.key.length, entry.value);
    last = entry;
  }
  return { pack: writer.finish(table), after: null };
}

/** The least key behind one. */
function next(key: Uint8Array): Uint8Array {
  const longer = new Uint8Array(key.length + 1);
  longer.set(key);
  return longer;
}
