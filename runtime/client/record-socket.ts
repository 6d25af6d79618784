// The records of one partition over a shared WebSocket, within its credit (PROTOCOL.md section 7); knows no record.

import { PortError } from '../base/errors.ts';
import {
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_PARK_MS,
  SOCKET_RESUMED_BYTES_MAX,
} from '../base/limits.ts';
import { errorOf } from './errors.ts';
import { type Reconnects, retried } from './retry.ts';
import type { Channel, SharedSocket } from './sockets.ts';

export interface SubscriptionOptions {
  readonly topic: string;
  readonly partition: number;
}

/** What a partition has sent. */
interface Arrived {
  /** Batches, as a fetch answers them. */
  readonly bytes: Uint8Array;
  readonly incarnation: string | null;
}

/** What one subscription may send ahead of its reader: the greatest frame, so that every one comes along. */
const WINDOW_BYTES_MAX = SOCKET_FRAME_BYTES_MAX + 32;

/** Follows a partition from wherever it is asked, over as many sockets as it takes, one after the other. */
export class Subscription {
  readonly #socket: () => SharedSocket;
  readonly #options: SubscriptionOptions & { readonly reconnects: Reconnects };
  #open: OpenSubscription | null = null;
  /** The last connection was cut, and this one has not brought much yet. */
  #isCut = false;

  constructor(
    socket: () => SharedSocket,
    options: SubscriptionOptions & { readonly reconnects: Reconnects },
  ) {
    this.#socket = socket;
    this.#options = options;
  }

  /**
   * The next batches. The first may begin below `from`; what is fetched is what the call before ended with, or elsewhere after `end`.
   * @throws {PortError} what the edge refuses; UNAVAILABLE when it did not answer for long
   */
  next(from: number, incarnation: string | null, signal: AbortSignal): Promise<Arrived> {
    const { topic, partition, reconnects } = this.#options;
    return retried(signal, reconnects, async () => {
      if (this.#open === null) {
        const place = { topic, partition, offset: from, incarnation };
        // What is on its way is lost with its connection: it must be little until some has come, or one that is cut often brings nothing.
        const window = this.#isCut ? SOCKET_RESUMED_BYTES_MAX : WINDOW_BYTES_MAX;
        this.#open = await OpenSubscription.begin(this.#socket(), place, window);
        reconnects.opened();
      }
      try {
        const arrived = await this.#open.next(signal);
        reconnects.worked();
        this.#isCut &&= !this.#open.isWide;
        return arrived;
      } catch (thrown) {
        this.end();
        this.#isCut ||= !signal.aborted;
        throw thrown;
      }
    });
  }

  /** Nothing is wanted until the next `next`. */
  end(): void {
    this.#open?.end();
    this.#open = null;
  }
}

/** The messages of the edge. */
interface Message {
  readonly op: 'subscribed' | 'waiting' | 'end' | 'error';
  readonly incarnation?: string | undefined;
  readonly bytes?: number | undefined;
}

class OpenSubscription implements Channel {
  readonly #socket: SharedSocket;
  #id: number | null = null;
  #incarnation: string | null;
  readonly #frames: Uint8Array[] = [];
  /** What comes behind the frames. */
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Bytes that may come ahead of the reader, and what of them was not used, as far as is known here. */
  #window: number;
  #credit: number;
  /** What was read and not granted again. */
  #toGrant = 0;
  /** The edge has said that it waits, and nothing was granted since. */
  #isWaitedFor = false;

  private constructor(socket: SharedSocket, incarnation: string | null, window: number) {
    this.#socket = socket;
    this.#incarnation = incarnation;
    this.#window = window;
    this.#credit = window;
  }

  /** As much comes ahead of the reader as may. */
  get isWide(): boolean {
    return this.#window >= WINDOW_BYTES_MAX;
  }

  static async begin(
    socket: SharedSocket,
    options: SubscriptionOptions & { readonly offset: number; readonly incarnation: string | null },
    window: number,
  ): Promise<OpenSubscription> {
    const { topic, partition, offset, incarnation } = options;
    const subscription = new OpenSubscription(socket, incarnation, window);
    subscription.#id = await socket.join(subscription, (id) => ({
      op: 'subscribe',
      id,
      topic,
      partition,
      offset,
      ...(incarnation === null ? {} : { incarnation }),
      credit: window,
      ...(subscription.isWide ? {} : { frame: window }),
    }));
    return subscription;
  }

  received(message: string | Uint8Array): void {
    if (typeof message !== 'string') {
      this.#frames.push(message);
      // Of a frame its whole length is used, its number with it.
      this.#credit -= message.length + 4;
    } else {
      const { op, incarnation, bytes = 0 } = JSON.parse(message) as Message;
      if (op === 'subscribed') this.#incarnation = incarnation ?? null;
      else if (op === 'waiting') this.#wait(bytes);
      else if (op === 'error') this.cut(errorOf(200, JSON.parse(message)));
    }
    this.#wake?.();
  }

  cut(error: Error): void {
    this.#failure ??= error;
    this.#leave();
    this.#wake?.();
  }

  async next(signal: AbortSignal): Promise<Arrived> {
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const frame = this.#frames.shift();
        if (frame !== undefined) {
          if (this.#timer !== null) clearTimeout(this.#timer);
          this.#taken(frame.length + 4);
          return { bytes: frame.subarray(12), incarnation: this.#incarnation };
        }
        if (this.#failure !== null) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  end(): void {
    if (this.#id !== null) this.#socket.send({ op: 'unsubscribe', id: this.#id });
    this.cut(new PortError('UNAVAILABLE', 'the subscription was ended'));
  }

  /** Half a window is granted again at a time, or what the edge waits for: each message over the socket costs the edge's owner something. */
  #taken(bytes: number): void {
    this.#toGrant += bytes;
    if (this.#toGrant * 2 < this.#window && !this.#isWaitedFor) return;
    const window = Math.min(this.#window * 2, WINDOW_BYTES_MAX);
    this.#grant(window - this.#window);
    this.#window = window;
  }

  /** Grants what was read, and that much more. */
  #grant(more: number): void {
    const bytes = this.#toGrant + more;
    this.#toGrant = 0;
    this.#isWaitedFor = false;
    this.#credit += bytes;
    if (this.#id !== null) this.#socket.send({ op: 'credit', id: this.#id, bytes });
  }

  /** Records wait at the edge: for the reader; or for a window that holds the next record, which is then as wide as that. */
  #wait(bytes: number): void {
    this.#isWaitedFor = true;
    if (this.#frames.length > 0) {
      this.#park();
      return;
    }
    const missing = bytes - this.#credit;
    if (missing <= 0) return;
    const more = Math.max(0, missing - this.#toGrant);
    this.#window = Math.min(this.#window + more, WINDOW_BYTES_MAX);
    this.#grant(more);
  }

  /** Records that nobody reads would in the end close the socket, for all its readers: the edge is told to stop before. */
  #park(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#id === null || this.#frames.length === 0) return;
      this.end();
    }, SOCKET_PARK_MS);
  }

  #leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#id !== null) this.#socket.leave(this.#id);
    this.#id = null;
  }
}
