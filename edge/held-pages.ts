// Long pages that readers have not taken yet: how many bytes of them one isolate holds, whichever of its objects reads them; knows no storage and no route.

import { FETCH_BYTES_MAX, PAGES_HELD_BYTES_MAX } from '../runtime/base/limits.ts';
import { type Held, HeldBytes } from './held-bytes.ts';

/**
 * Pages of FETCH_BYTES_MAX are given to whoever asks; longer ones only while those that lie here leave room, so that readers who are slow make
 * pages shorter and nobody wait.
 */
export class HeldPages {
  /** What stands before its batches may double a page. */
  readonly #held = new HeldBytes(PAGES_HELD_BYTES_MAX);

  /** Bytes of long pages that lie here, at most PAGES_HELD_BYTES_MAX. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many bytes of batches the next page may have. */
  bytesMax(asked: number): number {
    return this.#held.share(asked, FETCH_BYTES_MAX);
  }

  /**
   * A page as the body of an answer; a long one is counted until its reader has taken it or has gone.
   * @param bytesMax what `bytesMax` has said of it
   */
  body(
    page: Uint8Array<ArrayBuffer>,
    bytesMax: number,
  ): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
    if (bytesMax <= FETCH_BYTES_MAX) return page;
    let held: Held<object> | null = null;
    const letGo = (): void => {
      if (held !== null) this.#held.letGo(held);
    };
    return new ReadableStream<Uint8Array>(
      {
        // In one piece: one of 512 KiB or 1 MiB at a time takes the server a fifth longer.
        start: (controller) => {
          held = this.#held.hold(page.length, controller);
          controller.enqueue(page);
        },
        // Asked for more only once the page has been taken.
        pull: (controller) => {
          letGo();
          controller.close();
        },
        cancel: letGo,
      },
      { highWaterMark: 0 },
    );
  }
}

/** Those of this isolate. */
export const heldPages = new HeldPages();
