// A page of a state table as bytes: entries in the order of their keys, found by halving; knows no SQL and no task.

import { ByteWriter } from '../../runtime/base/bytes.ts';
import { crc32c } from '../../runtime/base/crc32c.ts';
import { TaskCorrupted } from '../../runtime/base/errors.ts';
import type { Entry } from '../../runtime/ports/store.ts';

/**
 * Bytes of a page of several entries. A read by key takes a whole page in and a change writes one anew, which wants them small; rows are
 * billed, which wants them large.
 */
export const PAGE_BYTES_MAX = 8192;
/** What pages are filled to where one is cut, so that the next key does not cut it again. */
const PAGE_BYTES_CUT = 5461;
/** A page that is shorter takes in the one behind it. */
export const PAGE_BYTES_MIN = 1024;

const HEADER_BYTES = 8;
const ENTRY_BYTES = 8;

/**
 * One page, verified:
 * ```
 *  0  4  crc      CRC-32C of what follows
 *  4  4  count    entries, at least 1
 *  8  8n ends     u32 keyEnd, u32 valueEnd, counted from the beginning of the entries
 *        entries  each: key, value; keys rise
 * ```
 */
export class StatePage {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly #ends: DataView;
  readonly #entriesAt: number;

  /** @throws {TaskCorrupted} when the bytes fail their check */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== crc32c(bytes, 4))
      throw new TaskCorrupted('the checksum of a page of state does not agree');
    this.bytes = bytes;
    this.count = view.getUint32(4, true);
    this.#ends = view;
    this.#entriesAt = HEADER_BYTES + this.count * ENTRY_BYTES;
  }

  #keyFrom(index: number): number {
    return index === 0 ? this.#entriesAt : this.#valueEnd(index - 1);
  }

  #keyEnd(index: number): number {
    return this.#entriesAt + this.#ends.getUint32(HEADER_BYTES + index * ENTRY_BYTES, true);
  }

  #valueEnd(index: number): number {
    return this.#entriesAt + this.#ends.getUint32(HEADER_BYTES + index * ENTRY_BYTES + 4, true);
  }

  /** A view. */
  key(index: number): Uint8Array {
    return this.bytes.subarray(this.#keyFrom(index), this.#keyEnd(index));
  }

  /** A view. */
  value(index: number): Uint8Array {
    return this.bytes.subarray(this.#keyEnd(index), this.#valueEnd(index));
  }

  /** The first entry whose key is not below this one; `count` when all are. */
  lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The value of a key, a view; null when the page does not hold it. */
  get(key: Uint8Array): Uint8Array | null {
    const index = this.lowerBound(key);
    return this.holds(index, key) ? this.value(index) : null;
  }

  /** True when the entry there is of that key. */
  holds(index: number, key: Uint8Array): boolean {
    return index < this.count && this.#compare(index, key) === 0;
  }

  /** As `compareBytes`, without a view of the entry's key. */
  #compare(index: number, key: Uint8Array): number {
    const { bytes } = this;
    const from = this.#keyFrom(index);
    const keyBytes = this.#keyEnd(index) - from;
    const length = Math.min(keyBytes, key.length);
    for (let i = 0; i < length; i++) {
      const difference = (bytes[from + i] as number) - (key[i] as number);
      if (difference !== 0) return difference;
    }
    return keyBytes - key.length;
  }
}

/** @param entries at least one, in the order of their keys */
export function encodePage(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const to = new ByteWriter(entries.reduce((sum, entry) => sum + entryBytes(entry), HEADER_BYTES));
  to.u32(0);
  to.u32(entries.length);
  let end = 0;
  for (const { key, value } of entries) {
    to.u32((end += key.length));
    to.u32((end += value.length));
  }
  for (const { key, value } of entries) {
    to.bytes(key);
    to.bytes(value);
  }
  to.patchU32(0, crc32c(to.buffer, 4, to.position));
  return to.finish();
}

/** What an entry adds to its page. */
export function entryBytes({ key, value }: Entry): number {
  return ENTRY_BYTES + key.length + value.length;
}

/** Sorted entries as pages: one where they fit, else several of like length; an entry that is too long for a page has one of its own. */
export function cutIntoPages(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  let total = 0;
  for (const entry of entries) total += entryBytes(entry);
  const target =
    total + HEADER_BYTES <= PAGE_BYTES_MAX ? Infinity : total / Math.ceil(total / PAGE_BYTES_CUT);
  const pages: Entry[][] = [];
  let page: Entry[] = [];
  let bytes = HEADER_BYTES;
  for (const entry of entries) {
    const more = entryBytes(entry);
    if (page.length > 0 && (bytes >= target || bytes + more > PAGE_BYTES_MAX)) {
      pages.push(page);
      page = [];
      bytes = HEADER_BYTES;
    }
    page.push(entry);
    bytes += more;
  }
  if (page.length > 0) pages.push(page);
  return pages;
}
