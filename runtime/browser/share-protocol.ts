// What tabs that share one engine say to each other before one is served; knows no call.

import { databaseName } from './database-name.ts';

/** Raised with each change of what goes over a follower's channel, be it of a call or of a batch: tabs of two deployments do not mix. */
export const SHARE_VERSION = 1;

/** How often a follower's channel is looked at for what is missing. */
const PULSE_MS = 2_000;
/** Of such questions to one that does not answer. */
const PULSES_UNANSWERED_MAX = 8;

/** From a tab that looks for the leader of its database, over the database's channel. */
export interface Hello {
  /** Names the follower, its channel and the lock that its page holds for life. */
  readonly follower: string;
  readonly version: number;
}

/** To that tab, over the same channel. */
export interface Welcome {
  readonly to: string;
  readonly version: number;
  /** The lock that the leading Worker holds for life; null: it opens the database yet, and is to be asked again. */
  readonly lock: string | null;
  /** FOLLOWERS_MAX are served: not one more. */
  readonly isFull: boolean;
}

/** Where tabs look for the leader of a database. */
export function meetingChannel(database: string): BroadcastChannel {
  return new BroadcastChannel(`${databaseName(database)}:share`);
}

/** Says it to whoever listens; nothing is transferred, all is copied. */
export function say(channel: BroadcastChannel, message: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
  channel.postMessage(message);
}

/**
 * A follower's channel, either end of it. Messages are numbered: a browser may drop some of a tab that stands still (Chromium does while a debugger
 * halts it), and nothing may be missing unnoticed.
 */
export class NumberedChannel {
  readonly #channel: BroadcastChannel;
  readonly #onGap: () => void;
  #said = 0;
  #heard = 0;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #unanswered = 0;

  /** @param onGap called once, when a message is missing; nothing is heard any more then */
  constructor(name: string, onGap: () => void) {
    this.#channel = new BroadcastChannel(name);
    this.#onGap = onGap;
  }

  say(message: unknown): void {
    say(this.#channel, [++this.#said, message]);
  }

  /**
   * Says from time to time how much has been said, which the other end answers alike: what is missing is noticed though nothing follows it.
   * Only one end does, and not on and on to one that stands still.
   */
  keepAsking(): void {
    this.#pulse = setInterval(() => {
      if (this.#unanswered >= PULSES_UNANSWERED_MAX) return;
      this.#unanswered += 1;
      say(this.#channel, [this.#said]);
    }, PULSE_MS);
  }

  /** The other end finds a gap. */
  break(): void {
    say(this.#channel, [-1]);
  }

  hear(listener: (message: unknown) => void): void {
    this.#channel.addEventListener('message', ({ data }: MessageEvent<[number, unknown?]>) => {
      const [number, message] = data;
      if (this.#heard === Infinity) return;
      const isPulse = data.length === 1;
      if (number !== (isPulse ? this.#heard : this.#heard + 1)) {
        this.#heard = Infinity;
        this.#onGap();
      } else if (!isPulse) {
        this.#heard = number;
        listener(message);
      } else if (this.#pulse === undefined) say(this.#channel, [this.#said]);
      else this.#unanswered = 0;
    });
  }

  close(): void {
    clearInterval(this.#pulse);
    this.#channel.close();
  }
}

/** Name of a follower's channel, and of its lock. */
export function followerName(follower: string): string {
  return `millrace:follower:${follower}`;
}
