// One who follows a partition for a reader: waits there for records, brings them along and wakes the reader; knows no object and no task.

import type { Fetched } from '../../runtime/ports/log.ts';
import type { FetchedWithin } from '../fetched-within.ts';

/** How long a follower rests after a failed call. */
const REST_MS = 500;

export interface FollowerOptions {
  /** Resolves with the high watermark, once that is above `seen` or after a while. */
  readonly follow: (seen: number) => Promise<number>;
  /** Reads from an offset, and waits a while when nothing is there. What is long is not brought along. */
  readonly read: (from: number) => Promise<FetchedWithin>;
  readonly wake: () => void;
}

/**
 * As long as it does not know where its reader is, it only tells that there is more. Once the reader has come to the end it waits for
 * what follows, so that a record is with its reader after one call and not after two.
 */
export class Follower {
  readonly #options: FollowerOptions;
  #isWanted = true;
  /** Where the reader has come to the end; null: it has not. */
  #end: number | null = null;
  #held: { readonly from: number; readonly fetched: Fetched } | null = null;
  /** Goes on once what is held is taken, or of no use any more. */
  #goOn: () => void = () => undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    void this.#run();
  }

  stop(): void {
    this.#isWanted = false;
    this.#goOn();
  }

  /** What was brought along for a read from that offset, once; null: nothing was. */
  taken(from: number): Fetched | null {
    if (this.#held?.from !== from) return null;
    const { fetched } = this.#held;
    this.#held = null;
    return fetched;
  }

  /** The reader has read from an offset. */
  hasRead(from: number, { batches, highWatermark }: Fetched): void {
    // Another reader of the same partition has its own follower.
    if (this.#end !== null && this.#end !== from) return;
    const last = batches.at(-1);
    const next = last === undefined ? from : last.base + last.count;
    this.#end = next >= highWatermark ? next : null;
    this.#held = null;
    this.#goOn();
  }

  async #run(): Promise<void> {
    const { follow, read, wake } = this.#options;
    let seen = -1;
    while (this.#isWanted) {
      const from = this.#end;
      try {
        if (from === null) {
          const highWatermark = await follow(seen);
          const isMore = highWatermark !== seen;
          seen = highWatermark;
          if (isMore && this.#isWanted) wake();
          continue;
        }
        const fetched = await read(from);
        const isLong = fetched.needed > 0;
        if (!this.#isWanted || (fetched.batches.length === 0 && !isLong)) continue;
        seen = fetched.highWatermark;
        if (this.#end !== from) {
          // Another reader has read on meanwhile, this one perhaps not: it is told all the same.
          wake();
          continue;
        }
        this.#held = isLong ? null : { from, fetched };
        const { promise: taken, resolve } = Promise.withResolvers<void>();
        this.#goOn = resolve;
        wake();
        await taken;
      } catch {
        // The partition is gone or out of reach for now: begin again, which wakes; the reader learns what it is.
        seen = -1;
        this.#end = null;
        const { promise: rested, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, REST_MS);
        await rested;
      }
    }
  }
}
