// The batches of a partition in memory: small ones side by side in common buffers, so that of many none is an object that lives long; knows no topic.

import { existing } from '../base/assert.ts';
import { LOG_CHUNK_BYTES_MAX, LOG_CHUNK_BYTES_MIN } from '../base/limits.ts';
import type { HandedBatch } from '../data/handed-batch.ts';
import type { Replacement } from '../ports/cleaning.ts';
import type { FetchedBatch } from '../ports/log.ts';
import type { BatchSize } from '../ports/retention.ts';

/** A batch as the log gives it. Its bytes may be a view of a common buffer: they are never written to again. */
export type Stored = FetchedBatch & BatchSize;

/** Where a batch stands, and the greatest timestamp in it. */
type Place = Pick<Stored, 'base' | 'count' | 'maxTimestamp'>;

/** Of each batch: base, offsets that it covers, greatest timestamp, where its bytes begin and how many they are. */
const NUMBERS = 5;
/** Batches begin at multiples of this, so that their numbers can be read where they are. */
const ALIGNED_BYTES = 8;
/** A batch that is longer has a buffer of its own. */
const SHARED_BYTES_MAX = LOG_CHUNK_BYTES_MAX / 16;

/** Batches that follow each other, in one buffer. */
interface Chunk {
  readonly bytes: Uint8Array;
  /** The only batch; its bytes are made when they are asked for. */
  readonly handed: HandedBatch | undefined;
  /** Plain numbers: an array of them is no work for the garbage collector. */
  readonly numbers: number[];
  /** Where the next batch may begin. */
  free: number;
}

const NO_BYTES = new Uint8Array(0);

/** In offset order; no offset between two of them is missing. */
export class StoredBatches {
  #chunks: Chunk[] = [];
  /** Bytes of all batches. */
  lengthBytes = 0;

  /** Takes a batch that follows the last one. Small ones are copied. */
  push({ base, count, maxTimestamp }: Place, given: Uint8Array | HandedBatch): void {
    const isHanded = !(given instanceof Uint8Array);
    const length = isHanded ? given.lengthBytes : given.length;
    let chunk = this.#chunks.at(-1);
    let from = 0;
    if (isHanded || length > SHARED_BYTES_MAX) {
      chunk = chunkOf(isHanded ? NO_BYTES : given, isHanded ? given : undefined);
      this.#chunks.push(chunk);
    } else {
      if (chunk === undefined || chunk.free + length > chunk.bytes.length) {
        // Twice as much as before, so that neither a topic of a few records takes much, nor one small batch between long ones.
        const before = chunk === undefined || chunk.free === Infinity ? 0 : chunk.bytes.length;
        const room = Math.max(2 * before, LOG_CHUNK_BYTES_MIN, length);
        chunk = chunkOf(new Uint8Array(Math.min(room, LOG_CHUNK_BYTES_MAX)), undefined, 0);
        this.#chunks.push(chunk);
      }
      from = chunk.free;
      chunk.bytes.set(given, from);
      chunk.free = (from + length + ALIGNED_BYTES - 1) & -ALIGNED_BYTES;
    }
    chunk.numbers.push(base, count, maxTimestamp, from, length);
    this.lengthBytes += length;
  }

  /** Takes the last batch back; what it took of a common buffer stays as it is. */
  pop(): void {
    const { numbers } = existing(this.#chunks.at(-1), 'batch');
    this.lengthBytes -= taken(numbers, -NUMBERS);
    if (numbers.length === 0) this.#chunks.pop();
  }

  /** Base of the first batch, undefined when there is none. */
  get first(): number | undefined {
    return this.#chunks[0]?.numbers[0];
  }

  /** Base of the last batch, likewise. */
  get last(): number | undefined {
    return this.#chunks.at(-1)?.numbers.at(-NUMBERS);
  }

  /** Batches from the one on that covers the offset, or is the first behind it. Nothing may change between steps. */
  *from(offset: number): Generator<Stored> {
    for (let at = this.#at(offset); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Chunk;
      const { length } = chunk.numbers;
      const first = firstOf(length / NUMBERS, (i) => endAt(chunk, i * NUMBERS) > offset);
      for (let i = first * NUMBERS; i < length; i += NUMBERS) yield storedAt(chunk, i);
    }
  }

  /** Index of the first chunk that ends behind the offset. */
  #at(offset: number): number {
    return firstOf(this.#chunks.length, (at) => endAt(this.#chunks[at] as Chunk) > offset);
  }

  /** Lets batches go that end at the offset or before. */
  drop(before: number): void {
    let gone = 0;
    for (const chunk of this.#chunks) {
      while (endAt(chunk, 0) <= before) this.lengthBytes -= taken(chunk.numbers, 0);
      if (chunk.numbers.length > 0) break;
      gone++;
    }
    this.#chunks.splice(0, gone);
  }

  /** Puts batches in the place of those that begin at `from` or behind it and before `to`. */
  replace({ from, to, batches }: Replacement): void {
    const behind = this.#chunks.splice(this.#at(from));
    const touched: Stored[] = [];
    let whole = 0;
    for (; whole < behind.length; whole++) {
      const chunk = behind[whole] as Chunk;
      if ((chunk.numbers[0] as number) >= to) break;
      for (let i = 0; i < chunk.numbers.length; i += NUMBERS) touched.push(storedAt(chunk, i));
    }
    for (const { lengthBytes } of touched) this.lengthBytes -= lengthBytes;
    const before = touched.filter(({ base }) => base < from);
    const after = touched.filter(({ base }) => base >= to);
    for (const batch of [...before, ...batches, ...after])
      this.push(batch, batch.handed ?? batch.bytes);
    this.#chunks = [...this.#chunks, ...behind.slice(whole)];
  }
}

/** @param free as in Chunk; absent: there is no room */
function chunkOf(bytes: Uint8Array, handed: Chunk['handed'], free = Infinity): Chunk {
  return { bytes, handed, numbers: [], free };
}

/** The offset behind the batch whose numbers begin there, or the last one; NaN: there is none. */
function endAt({ numbers }: Chunk, at = numbers.length - NUMBERS): number {
  return (numbers[at] as number) + (numbers[at + 1] as number);
}

/** Takes the numbers of a batch out. @returns its bytes */
function taken(numbers: number[], at: number): number {
  return numbers.splice(at, NUMBERS)[4] as number;
}

/** The least number below `count` for which it holds, as for all above it; `count` where there is none. */
function firstOf(count: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The batch whose numbers begin there. */
function storedAt({ bytes, handed, numbers }: Chunk, at: number): Stored {
  const number = (which: number): number => numbers[at + which] as number;
  const lengthBytes = number(4);
  const place = { base: number(0), count: number(1), maxTimestamp: number(2), lengthBytes };
  // A batch that is alone is the same object to all readers.
  const isAlone = lengthBytes === bytes.length;
  return (
    handed?.within(place) ?? {
      ...place,
      bytes: isAlone ? bytes : bytes.subarray(number(3), number(3) + lengthBytes),
    }
  );
}
