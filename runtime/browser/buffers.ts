// Buffers that travel to the page with a batch and come back empty, to be filled again; knows no batch.

import { RECYCLED_BYTES_MAX } from '../base/limits.ts';

/** Sizes are powers of two from here on, so that a buffer serves batches of about the same length. */
const BUFFER_BYTES_MIN = 4096;

/** Free buffers of one Worker, at most RECYCLED_BYTES_MAX in all. */
export class Buffers {
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;
  #made = 0;

  /** Buffers that had to be made because none fitted. */
  get made(): number {
    return this.#made;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of at least that many bytes, with anything in it. */
  take(lengthBytes: number): ArrayBuffer {
    let size = BUFFER_BYTES_MIN;
    while (size < lengthBytes) size *= 2;
    const index = this.#free.findIndex(({ byteLength }) => byteLength === size);
    const [found] = index < 0 ? [] : this.#free.splice(index, 1);
    if (found === undefined) this.#made += 1;
    else this.#freeBytes -= size;
    return found ?? new ArrayBuffer(size);
  }

  /** Takes a buffer back; one for which there is no room is left to the garbage collector. */
  give(buffer: ArrayBuffer): void {
    if (this.#freeBytes + buffer.byteLength > RECYCLED_BYTES_MAX) return;
    this.#freeBytes += buffer.byteLength;
    this.#free.push(buffer);
  }
}
