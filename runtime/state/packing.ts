// Hands the changes of one state table over: side by side where the store takes that, else one by one; knows no table's rows.

import { ByteWriter } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import type { IntoBlock, StateBytes, StatePack, TableId } from '../ports/store.ts';

const FIRST_ENTRIES = 64;

/** What nobody asks for any more. */
export interface Over {
  /** Windows that start at that time or before; sessions that end before it. */
  readonly ms: number;
  /** The same by the key of an entry. */
  readonly isOver: (key: Uint8Array) => boolean;
}

/** For one commit. What is given is copied. */
export class Packing {
  readonly #table: TableId;
  readonly #into: (change: StateBytes) => void;
  readonly #intoBlock: IntoBlock | null;
  readonly #isOver: StatePack['isOver'];
  /** null: nothing is side by side. */
  #entries: EntryWriter | null = null;

  /**
   * @param intoBlock null: the store takes changes one by one
   * @param isOver as in StatePack
   */
  constructor(
    table: TableId,
    into: (change: StateBytes) => void,
    intoBlock: IntoBlock | null | undefined,
    isOver: StatePack['isOver'] = null,
  ) {
    this.#table = table;
    this.#into = into;
    this.#intoBlock = intoBlock ?? null;
    this.#isOver = isOver;
  }

  /**
   * @param key is the first `keyBytes` of it
   * @param value is `from .. to` of it; null: the key is removed
   */
  set(
    key: Uint8Array,
    keyBytes: number,
    value: Uint8Array | null,
    from = 0,
    to: number = value?.length ?? 0,
  ): void {
    if (this.#intoBlock === null) {
      const own = value?.slice(from, to) ?? null;
      this.#into({ table: this.#table, key: key.slice(0, keyBytes), value: own });
      return;
    }
    this.#entries ??= new EntryWriter();
    this.#entries.add(key, keyBytes, value, from, to);
  }

  /** Hands over what is side by side. */
  end(): void {
    if (this.#entries === null) return;
    const { table, bytes, ends, removed } = this.#entries.finish(this.#table);
    // Copies that are no longer than they need be: a store may hold them for long.
    const own = { table, bytes: bytes.slice(), ends: ends.slice(), removed: removed.slice() };
    this.#intoBlock?.(packOf(own, this.#isOver));
  }
}

/**
 * Changes of one table one after the other: entry `i` has its key up to byte `ends[2 * i]` of `bytes` and its value behind that up to
 * byte `ends[2 * i + 1]`; `removed[i]` is 1 where it removes the key instead.
 */
export interface PackedEntries {
  readonly table: TableId;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly removed: Uint8Array;
}

/** Writes the changes of one table one after the other. */
export class EntryWriter {
  readonly #bytes = new ByteWriter();
  #ends = new Uint32Array(FIRST_ENTRIES * 2);
  #removed = new Uint8Array(FIRST_ENTRIES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Of all keys and values. */
  get lengthBytes(): number {
    return this.#bytes.position;
  }

  /** Room for so many more, all at once. */
  reserve(entries: number, lengthBytes: number): void {
    this.#bytes.reserve(lengthBytes);
    const size = this.#size + entries;
    if (size > this.#removed.length) this.#grow(size);
  }

  /**
   * @param key is the first `keyBytes` of it
   * @param value is `from .. to` of it; null: the key is removed
   */
  add(
    key: Uint8Array,
    keyBytes: number,
    value: Uint8Array | null,
    from = 0,
    to: number = value?.length ?? 0,
  ): void {
    const bytes = this.#bytes;
    const entry = this.#size++;
    if (entry === this.#removed.length) this.#grow(entry * 2);
    bytes.bytes(key, 0, keyBytes);
    this.#ends[entry * 2] = bytes.position;
    if (value !== null) bytes.bytes(value, from, to);
    this.#ends[entry * 2 + 1] = bytes.position;
    this.#removed[entry] = value === null ? 1 : 0;
  }

  #grow(entries: number): void {
    this.#ends = grown(this.#ends, entries * 2);
    this.#removed = grown(this.#removed, entries);
  }

  /** Views of what was written, each of a buffer of its own; the writer is done with. */
  finish(table: TableId): PackedEntries {
    const size = this.#size;
    return {
      table,
      bytes: this.#bytes.written(),
      ends: this.#ends.subarray(0, size * 2),
      removed: this.#removed.subarray(0, size),
    };
  }
}

/** The entries as a pack, which shows views of their bytes. Nobody writes to the arrays any more. */
export function packOf(entries: PackedEntries, isOver: StatePack['isOver']): StatePack {
  const { table, bytes, ends, removed } = entries;
  return {
    table,
    size: removed.length,
    bytes: bytes.length,
    isOver,
    each(visit) {
      let from = 0;
      for (let entry = 0; entry < removed.length; entry++) {
        const keyTo = ends[entry * 2] as number;
        const to = ends[entry * 2 + 1] as number;
        visit(bytes.subarray(from, keyTo), removed[entry] === 1 ? null : bytes.subarray(keyTo, to));
        from = to;
      }
    },
  };
}

/** Hands over changes that are shown when they are asked for. */
export function handOver(
  pack: StatePack,
  into: (change: StateBytes) => void,
  intoBlock: IntoBlock | null | undefined,
): void {
  if (pack.size === 0) return;
  const { table } = pack;
  if (intoBlock) intoBlock(pack);
  else pack.each((key, value) => into({ table, key: key.slice(), value: value?.slice() ?? null }));
}
