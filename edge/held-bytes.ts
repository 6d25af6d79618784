// How many bytes lie in one isolate for readers who have not taken them: counted, and given up where nobody says that they were taken; knows no answer.

import { ANSWER_STALL_MS } from '../runtime/base/limits.ts';
import { shareOf } from './share.ts';

/** How often one that waits for its reader is looked at. */
export const WATCH_MS = ANSWER_STALL_MS / 6;
/** One that nobody has ended when nothing of it has been taken for so long has nobody. */
export const GONE_MS = ANSWER_STALL_MS + 2 * WATCH_MS;
/** One of which nothing has been taken for so long gives way where there is no room. */
export const IDLE_MS = 1_000;

/** What is counted of one answer, or page. */
export interface Held<Owner extends object> {
  readonly bytes: number;
  /** Lives as long as the platform has the answer: where it lets one go, it says nothing. */
  readonly owner: WeakRef<Owner>;
}

export class HeldBytes<Owner extends object> {
  readonly #bytesMax: number;
  readonly #isGone: (owner: Owner, nowMs: number) => boolean;
  readonly #held = new Set<Held<Owner>>();
  #bytes = 0;

  /**
   * @param bytesMax how many they are to be at most, together
   * @param isGone whether one would have been ended by its own timer, which the platform drops with its request
   */
  constructor(bytesMax: number, isGone: (owner: Owner, nowMs: number) => boolean) {
    this.#bytesMax = bytesMax;
    this.#isGone = isGone;
  }

  get bytes(): number {
    this.forgetLost();
    return this.#bytes;
  }

  /** Whether there is room for so many more. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= this.#bytesMax;
  }

  /** How many of the bytes that are asked for the next one may have, so that the others have room too: at least `least`. */
  share(asked: number, least: number): number {
    const share = (): number => shareOf(this.#bytesMax - this.#bytes, least, asked);
    if (share() < asked) this.forgetLost();
    return share();
  }

  /** Counts them until they are let go of, or their owner is no more. */
  hold(bytes: number, owner: Owner): Held<Owner> {
    const held = { bytes, owner: new WeakRef(owner) };
    this.#held.add(held);
    this.#bytes += bytes;
    return held;
  }

  /** Once is enough. */
  letGo(held: Held<Owner>): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes;
  }

  /** Nobody says when there is no owner any more, and where nothing else happens no garbage is collected for long. */
  forgetLost(): void {
    const nowMs = Date.now();
    for (const held of this.#held) {
      const owner = held.owner.deref();
      if (owner === undefined || this.#isGone(owner, nowMs)) this.letGo(held);
    }
  }

  *owners(): Iterable<Owner> {
    for (const { owner } of this.#held) {
      const living = owner.deref();
      if (living !== undefined) yield living;
    }
  }
}
