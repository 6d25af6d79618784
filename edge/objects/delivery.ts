// Sending frames to the sockets of a relay: within their credit, and with a bound on what may lie unread in all of their connections; knows no call.

import {
  RELAY_UNREAD_BYTES_MAX,
  SOCKET_FRAME_BYTES_MAX,
  SOCKET_STALL_MS,
  SOCKET_UNREAD_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { shareOf } from '../share.ts';
import type { Place } from './places.ts';
import type { Frames, LiveSocket, Subscription } from './subscriptions.ts';

/** So few watchers of a partition hold each other up less than a timer keeps the object awake, which is paid for. */
const KEPT_AT_ONCE_MAX = 16;
/** So long after the first of many frames their sockets' attachments are written: most frames have gone out then. */
const KEEP_AFTER_MS = 20;
/** What one socket may have, whatever is left. */
const UNREAD_BYTES_MIN = 65_536;
/** One that was asked whether it reads gives way after so long, where there is no room; those that wait for room look again as often. */
const ASKED_MS = 1_000;

export interface DeliveryOptions {
  /** Has the object stay awake until then. */
  readonly keepAwake: (until: Promise<void>) => void;
  /** Has sockets be closed that have waited too long, at that time at the latest. */
  readonly arm: (atMs: number) => void;
  /** Has them be sent what they wait for. */
  readonly goOn: (sockets: Iterable<LiveSocket>) => Promise<void>;
  readonly close: (socket: LiveSocket, code: number, reason: string) => void;
}

/**
 * What the platform has not been rid of it holds in memory, and nobody is told how much that is. So what was sent to a socket counts as unread until its client has
 * answered an ask that was sent behind it: who does not read cannot know its number.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  /** Sockets whose attachments say less than they have been sent. */
  readonly #changed = new Set<LiveSocket>();
  /** Those that have something unread. */
  readonly #unread = new Set<LiveSocket>();
  #bytes = 0;
  /** Those that wait for room. */
  readonly #held = new Set<LiveSocket>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Bytes that may lie unread, at most RELAY_UNREAD_BYTES_MAX. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sends a subscription what it has credit and room for. */
  deliver(place: Place, socket: LiveSocket, subscription: Subscription, frames: Frames): void {
    let changed = false;
    while (subscription.waitingMs === null && !socket.isHeld) {
      const frame = subscription.next < frames.end ? frames.frame(subscription) : null;
      if (frame === null) break;
      changed = true;
      if ('needed' in frame) {
        this.#wait(socket, subscription, frame.needed);
        break;
      }
      const { length } = frame.bytes;
      if (!this.#hasRoom(socket, length)) break;
      subscription.next = frame.end;
      subscription.credit -= length;
      grow(subscription);
      this.#count(socket, length);
      socket.send(frame.bytes);
      // Early, so that its answer is here before there is no room.
      if (socket.unreadBytes * 2 >= this.#most) this.#ask(socket);
    }
    if (!changed) return;
    if (place.watchers.size <= KEPT_AT_ONCE_MAX) socket.keep();
    else this.#keepSoon(socket);
  }

  #wait(socket: LiveSocket, subscription: Subscription, bytes: number): void {
    const { id, next } = subscription;
    subscription.waitingMs = Date.now();
    socket.send({ op: 'waiting', id, next, bytes });
    this.#options.arm(subscription.waitingMs + SOCKET_STALL_MS);
  }

  #count(socket: LiveSocket, bytes: number): void {
    this.#bytes += bytes;
    socket.unreadBytes += bytes;
    if (socket.unreadBytes > 0) this.#unread.add(socket);
    else this.#unread.delete(socket);
  }

  /** What one socket may have unread. */
  get #most(): number {
    return shareOf(RELAY_UNREAD_BYTES_MAX - this.#bytes, UNREAD_BYTES_MIN, SOCKET_UNREAD_BYTES_MAX);
  }

  /** Whether there is room for so much more; where there is none the socket is asked, or waits. */
  #hasRoom(socket: LiveSocket, bytes: number): boolean {
    const left = RELAY_UNREAD_BYTES_MAX - this.#bytes;
    const { unreadBytes } = socket;
    if (bytes <= left && (unreadBytes === 0 || unreadBytes + bytes <= this.#most)) return true;
    if (unreadBytes > 0) {
      this.#ask(socket);
      socket.heldMs = Date.now();
      this.#options.arm(socket.heldMs + SOCKET_STALL_MS);
    } else if (this.#makeRoom(bytes)) return true;
    else this.#hold(socket);
    return false;
  }

  #hold(socket: LiveSocket): void {
    socket.waitsForRoom = true;
    this.#held.add(socket);
    if (this.#held.size > 1) return;
    const { keepAwake, goOn } = this.#options;
    keepAwake(scheduler.wait(ASKED_MS).then(() => goOn(this.#released())));
  }

  #ask(socket: LiveSocket): void {
    socket.asks.ask(socket.unreadBytes, (text) => socket.send(text));
  }

  /** Closes those that were asked a while ago, and asks others, those with the most before the others. @returns whether there is room now */
  #makeRoom(bytes: number): boolean {
    const sinceMs = Date.now() - ASKED_MS;
    let askedBytes = 0;
    for (const socket of [...this.#unread].sort((a, b) => b.unreadBytes - a.unreadBytes)) {
      if (this.#bytes + bytes <= RELAY_UNREAD_BYTES_MAX) return true;
      const { asks, subscriptions } = socket;
      if (asks.hasWaitedSince(sinceMs)) {
        const [{ id, next } = {}] = subscriptions.values();
        this.#options.close(socket, 1013, JSON.stringify({ id, next }));
      } else if (!asks.isOpen && askedBytes < bytes) {
        this.#ask(socket);
        askedBytes += socket.unreadBytes;
      }
    }
    return this.#bytes + bytes <= RELAY_UNREAD_BYTES_MAX;
  }

  /** A client says that it has read what came before an ask. @returns the sockets that may be sent something now */
  answered(socket: LiveSocket, text: string): Iterable<LiveSocket> {
    const bytes = socket.asks.answered(text);
    if (bytes === null) return [];
    socket.heldMs = null;
    this.#count(socket, -bytes);
    return [socket, ...this.#released()];
  }

  /** Those that waited for room, which look again. */
  #released(): Iterable<LiveSocket> {
    const held = [...this.#held];
    this.#held.clear();
    for (const socket of held) socket.waitsForRoom = false;
    return held;
  }

  /** Nothing more is sent to it. */
  forget(socket: LiveSocket): void {
    this.#changed.delete(socket);
    this.#held.delete(socket);
    this.#count(socket, -socket.unreadBytes);
  }

  /**
   * Writes into the attachment what a socket has been sent, behind the frames of all. Until then a timer is under way, with which no object
   * hibernates; an instance that ends otherwise takes its sockets along, whose clients resume from what they have.
   */
  #keepSoon(socket: LiveSocket): void {
    this.#changed.add(socket);
    if (this.#changed.size > 1) return;
    const keep = (): void => {
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const one of changed) one.keep();
    };
    this.#options.keepAwake(scheduler.wait(KEEP_AFTER_MS).then(keep));
  }
}

/** Each frame that is sent may be followed by one twice as long, until they are as long as frames may be. */
function grow(subscription: Subscription): void {
  if (subscription.frame === null) return;
  const twice = Math.max(subscription.frame * 2, 1);
  subscription.frame = twice >= SOCKET_FRAME_BYTES_MAX ? null : twice;
}
