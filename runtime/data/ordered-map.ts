// Byte keys to byte values in memory, in byte order, with their size kept; knows no table and no task.

import type { ByteRange } from './key.ts';

/** Keys in one chunk before it is split in two. */
const CHUNK_KEYS_MAX = 512;
/** What an entry costs beside its bytes (two map slots, string header, chunk slot): an estimate for the memory limit. */
const ENTRY_OVERHEAD_BYTES = 96;

interface Held {
  key: Uint8Array;
  value: Uint8Array;
}

/**
 * A sorted map. Keys are held as Latin-1 text, one character a byte, because text compares and hashes natively and in byte order.
 * The order is a list of sorted chunks. Cost: `get` one hash probe; a new key two binary searches and a move within one chunk, once a scan or a removal follows.
 */
export class OrderedMap {
  readonly #entries = new Map<string, Held>();
  /** Keys that were set again, by the array that is held: whoever sets one once more with the same array pays for no text. */
  readonly #byArray = new Map<Uint8Array, Held>();
  /** Never empty but when the map is; each chunk sorted, and below the next. */
  readonly #chunks: string[][] = [];
  /** New keys that nobody has wanted in order yet, each once. */
  #unlisted: string[] = [];
  #bytes = 0;

  /** Bytes that an entry of this key holds beside its value. */
  static entryBytes(key: Uint8Array): number {
    return 2 * key.length + ENTRY_OVERHEAD_BYTES;
  }

  /** Bytes held, overhead included. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Uint8Array): Uint8Array | null {
    return (this.#byArray.get(key) ?? this.#entries.get(textOf(key)))?.value ?? null;
  }

  /** Sets the value, or removes the key when it is null. The arrays are kept, not copied: nobody may write to them. */
  set(key: Uint8Array, value: Uint8Array | null): void {
    const known = value === null ? undefined : this.#byArray.get(key);
    if (known !== undefined && value !== null) {
      this.#bytes += value.length - known.value.length;
      known.value = value;
      return;
    }
    const text = textOf(key);
    const before = this.#entries.get(text);
    if (before !== undefined) this.#byArray.delete(before.key);
    if (value === null) {
      if (before === undefined) return;
      this.#bytes -= sizeOf(before);
      this.#entries.delete(text);
      this.#unlist(text);
    } else if (before === undefined) {
      const held = { key, value };
      this.#bytes += sizeOf(held);
      this.#entries.set(text, held);
      this.#unlisted.push(text);
    } else {
      this.#bytes += value.length - before.value.length;
      before.key = key;
      before.value = value;
      this.#byArray.set(key, before);
    }
  }

  /** Entries of the range in byte order. The map may change between steps: keys set meanwhile may or may not be seen. */
  *scan(range: ByteRange): Iterable<Held> {
    const to = range.to === null ? null : textOf(range.to);
    let after = range.from === null ? null : textOf(range.from);
    let inclusive = true;
    for (;;) {
      const page = this.#page(after, inclusive, to);
      for (const { key, value } of page.entries) yield { key, value };
      if (page.last === null) return;
      after = page.last;
      inclusive = false;
    }
  }

  /** The rest of the chunk that holds the first key wanted; `last` null when the range ends in it. */
  #page(
    after: string | null,
    inclusive: boolean,
    to: string | null,
  ): { entries: Held[]; last: string | null } {
    this.#listAll();
    const entries: Held[] = [];
    let at = after === null ? 0 : Math.max(0, this.#chunkOf(after));
    for (; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      for (const text of chunk) {
        if (after !== null && (inclusive ? text < after : text <= after)) continue;
        if (to !== null && text >= to) return { entries, last: null };
        const held = this.#entries.get(text);
        if (held !== undefined) entries.push(held);
      }
      if (entries.length > 0) return { entries, last: chunk.at(-1) ?? null };
    }
    return { entries, last: null };
  }

  #listAll(): void {
    for (const text of this.#unlisted) this.#list(text);
    this.#unlisted = [];
  }

  #list(text: string): void {
    const at = Math.max(0, this.#chunkOf(text));
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([text]);
      return;
    }
    chunk.splice(lowerBound(chunk, text), 0, text);
    if (chunk.length > CHUNK_KEYS_MAX)
      this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2));
  }

  #unlist(text: string): void {
    this.#listAll();
    const at = this.#chunkOf(text);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = lowerBound(chunk, text);
    if (chunk[index] === text) chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The last chunk whose first key is not above `text`; -1 when all are. */
  #chunkOf(text: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.[0] ?? '') <= text) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function lowerBound(chunk: readonly string[], text: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunk[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sizeOf(held: Held): number {
  return held.value.length + OrderedMap.entryBytes(held.key);
}

/** One character a byte, so that text order is byte order. */
function textOf(bytes: Uint8Array): string {
  if (bytes.length > 4096) return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
