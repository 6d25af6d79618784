// Pages of record batches that readers have not taken yet: how many bytes of them one isolate holds, whichever of its objects reads them; knows no storage and no route.

import { PortError } from '../runtime/base/errors.ts';
import { ANSWER_STALL_MS, PAGES_HELD_BYTES_MAX } from '../runtime/base/limits.ts';
import { log } from '../runtime/base/log.ts';
import { GONE_MS, type Held, HeldBytes, IDLE_MS, WATCH_MS } from './held-bytes.ts';

/** So many bytes of batches are given to whoever asks; what stands before short ones may double them, and is not counted either: a connection holds most of it by itself. */
const BATCHES_BYTES_MIN = 65_536;
const SHORT_BYTES_MAX = 2 * BATCHES_BYTES_MIN;

/** A page that waits for its reader. */
class Page {
  held: Held<Page> | null = null;
  readonly sinceMs = Date.now();
  /** It has had to give way. */
  isEnded = false;
}

/**
 * Short pages are given to whoever asks; longer ones only while those that lie here leave room, so that readers who are slow make pages shorter. Where one batch is more than
 * there is room for, the pages that lie here longest give way.
 */
export class HeldPages {
  readonly #held = new HeldBytes<Page>(
    PAGES_HELD_BYTES_MAX,
    ({ sinceMs }, nowMs) => nowMs - sinceMs >= GONE_MS,
  );

  /** Bytes of long pages that lie here, at most PAGES_HELD_BYTES_MAX. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many bytes of batches the next page may have. */
  bytesMax(asked: number): number {
    return this.#held.share(asked, BATCHES_BYTES_MIN);
  }

  /**
   * A page as the body of an answer; a long one is counted until its reader has taken it or has gone.
   * @throws {PortError} OVERLOADED where there is no room for it
   */
  body(page: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
    if (page.length <= SHORT_BYTES_MAX) return page;
    this.makeRoom(page.length);
    const waiting = new Page();
    waiting.held = this.#held.hold(page.length, waiting);
    let timer: ReturnType<typeof setInterval> | null = null;
    const letGo = (): void => {
      if (timer !== null) clearInterval(timer);
      this.#letGo(waiting);
    };
    return new ReadableStream<Uint8Array>(
      {
        // In one piece: one of 512 KiB or 1 MiB at a time takes the server a fifth longer.
        start: (controller) => {
          controller.enqueue(page);
          timer = setInterval(() => {
            if (!waiting.isEnded && Date.now() - waiting.sinceMs < ANSWER_STALL_MS) return;
            log('warn', 'page-unread');
            letGo();
            controller.error(new Error('nothing of this page was read for too long'));
          }, WATCH_MS);
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

  /**
   * Before so much is read as one page: has those give way that lie here longest, where there is no room for it; their own requests end them.
   * @throws {PortError} OVERLOADED: they have not lain here for long
   */
  makeRoom(bytes: number): void {
    if (bytes <= SHORT_BYTES_MAX) return;
    if (!this.#held.hasRoom(bytes)) this.#held.forgetLost();
    const idleMs = Date.now() - IDLE_MS;
    for (const page of this.#held.owners()) {
      if (this.#held.hasRoom(bytes)) return;
      // In the order in which they came: those behind are younger.
      if (page.sinceMs > idleMs) break;
      this.#letGo(page);
      page.isEnded = true;
    }
    if (this.#held.hasRoom(bytes)) return;
    const message = 'too many pages wait for their readers; try again later';
    throw new PortError('OVERLOADED', message);
  }

  #letGo(page: Page): void {
    if (page.held !== null) this.#held.letGo(page.held);
    page.held = null;
  }
}

/** Those of this isolate. */
export const heldPages = new HeldPages();
