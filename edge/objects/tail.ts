// The newest batches of a partition, in memory for those who keep up; bounded; knows no storage.

import { HINT_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { FetchedBatch } from '../../runtime/ports/log.ts';

/** Batches one behind the other up to the high watermark, HINT_BYTES_MAX of them at most. */
export class Tail {
  #batches: FetchedBatch[] = [];
  #bytes = 0;

  /** Batches were stored behind the last one. */
  add(batches: readonly FetchedBatch[]): void {
    for (const batch of batches) {
      this.#batches.push(batch);
      this.#bytes += batch.bytes.length;
    }
    let gone = 0;
    for (; this.#bytes > HINT_BYTES_MAX; gone++)
      this.#bytes -= this.#batches[gone]?.bytes.length ?? 0;
    if (gone > 0) this.#batches = this.#batches.slice(gone);
  }

  clear(): void {
    this.#batches = [];
    this.#bytes = 0;
  }

  /**
   * What a read from the storage gives: the batches from `from` on that `bytesMax` has room for, and one in any case.
   * @param end the high watermark
   * @returns null: they are not all here, or none of them begins at `from`
   */
  read(from: number, end: number, bytesMax: number): FetchedBatch[] | null {
    const last = this.#batches.at(-1);
    if (last === undefined || last.base + last.count !== end) return null;
    const first = this.#batches.findIndex(({ base }) => base === from);
    if (first < 0) return null;
    let bytes = 0;
    let to = first;
    do bytes += this.#batches[to++]?.bytes.length ?? 0;
    while (to < this.#batches.length && bytes + (this.#batches[to]?.bytes.length ?? 0) <= bytesMax);
    return this.#batches.slice(first, to);
  }
}
