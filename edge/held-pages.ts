// Long pages that readers have not taken yet: how many bytes of them one isolate holds, whichever of its objects reads them; knows no storage and no route.

import { FETCH_BYTES_MAX, PAGES_HELD_BYTES_MAX } from '../runtime/base/limits.ts';

/** What a long page may take of what is left: the others stay long too. What stands before its batches may double it. */
const SHARE = 1 / 4;

/** A page that has been given, and not taken yet. */
interface Held {
  readonly bytes: number;
  /** Where the platform has let an answer go, nobody says that it was taken. */
  readonly answer: WeakRef<object>;
}

/**
 * Pages of FETCH_BYTES_MAX are given to whoever asks; longer ones only while those that lie here leave room, so that readers who are slow make
 * pages shorter and nobody wait.
 */
export class HeldPages {
  readonly #held = new Set<Held>();
  #bytes = 0;

  /** Bytes of long pages that lie here, at most PAGES_HELD_BYTES_MAX. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes of batches the next page may have. */
  bytesMax(asked: number): number {
    if (asked <= FETCH_BYTES_MAX) return asked;
    if (this.#share < asked) this.#forgetLost();
    return Math.max(FETCH_BYTES_MAX, Math.min(asked, this.#share));
  }

  get #share(): number {
    return Math.floor((PAGES_HELD_BYTES_MAX - this.#bytes) * SHARE);
  }

  #forgetLost(): void {
    for (const held of this.#held) if (held.answer.deref() === undefined) this.#letGo(held);
  }

  #letGo(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes;
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
    let held: Held | null = null;
    const letGo = (): void => {
      if (held !== null) this.#letGo(held);
    };
    return new ReadableStream<Uint8Array>(
      {
        // In one piece: one of 512 KiB or 1 MiB at a time takes the server a fifth longer.
        start: (controller) => {
          held = { bytes: page.length, answer: new WeakRef(controller) };
          this.#held.add(held);
          this.#bytes += page.length;
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
