// What may lie unread between the sockets of queries of one isolate and their clients: counted, and when a client has to say that it reads; knows no query.

import {
  QUERY_SOCKETS_UNREAD_BYTES_MAX,
  SOCKET_STALL_MS,
  SOCKET_UNREAD_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { Asks } from '../ask.ts';
import { Waiters } from '../objects/waiters.ts';
import { shareOf } from '../share.ts';

/** What one socket may have, whatever is left. */
const UNREAD_BYTES_MIN = 65_536;
/** One that was asked gives way after so long, where there is no room; each looks as often. */
const ASKED_MS = 1_000;

/** Of all sockets of an isolate; those that have something unread. */
let unreadBytes = 0;
const unread = new Set<SocketRoom>();

export interface SocketRoomOptions {
  readonly send: (ask: string) => void;
  /** The client has not answered for too long. */
  readonly giveWay: () => void;
}

/**
 * One socket. What is sent to it the platform holds until its connection takes it, and says nothing: it counts as unread until the client has answered an ask that was sent
 * behind it, whose number nobody knows who does not read. Sockets of others are only marked here: what is done with one its own request does.
 */
export class SocketRoom {
  readonly #options: SocketRoomOptions;
  #bytes = 0;
  readonly #asks = new Asks();
  /** Others find no room, and it has not answered for a while. */
  #mustGiveWay = false;
  #isClosed = false;
  /** A timer will look at it. */
  #isLooking = false;
  readonly #waiters = new Waiters();

  constructor(options: SocketRoomOptions) {
    this.#options = options;
  }

  /** Of all sockets of the isolate. */
  static get unreadBytes(): number {
    return unreadBytes;
  }

  get unread(): number {
    return this.#bytes;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    unreadBytes += bytes;
    if (this.#bytes > 0) {
      unread.add(this);
      this.#lookSoon();
    } else unread.delete(this);
  }

  /** No timer is taken back: workerd keeps 260 bytes of each that is for as long as the socket lives. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    setTimeout(() => {
      this.#isLooking = false;
      if (this.#bytes > 0) this.#look();
    }, ASKED_MS);
  }

  /** As long as something is unread: whoever has been sent little is asked too once there is little room. */
  #look(): void {
    this.#lookSoon();
    if (this.#mustGiveWay) this.#options.giveWay();
    else if (unreadBytes * 2 >= QUERY_SOCKETS_UNREAD_BYTES_MAX) this.#say();
  }

  #say(): void {
    if (this.#bytes > 0 && !this.#isClosed) this.#asks.ask(this.#bytes, this.#options.send);
  }

  get #most(): number {
    const left = QUERY_SOCKETS_UNREAD_BYTES_MAX - unreadBytes;
    return shareOf(left, UNREAD_BYTES_MIN, SOCKET_UNREAD_BYTES_MAX);
  }

  #fits(bytes: number): boolean {
    if (this.#isClosed) return true;
    if (this.#bytes > 0 && this.#bytes + bytes > this.#most) return false;
    return unreadBytes + bytes <= QUERY_SOCKETS_UNREAD_BYTES_MAX || isRoomMade(bytes, this);
  }

  /**
   * Sends so much once there is room for it: at once, so that nothing that was counted comes behind an ask.
   * @param isWanted whether it is still to be sent: asked again after `wake`
   * @returns false when the client has not answered within SOCKET_STALL_MS: nothing was sent
   */
  async give(bytes: number, isWanted: () => boolean, send: () => void): Promise<boolean> {
    const sinceMs = Date.now();
    while (isWanted() && !this.#fits(bytes)) {
      this.#say();
      if (this.#bytes > 0 && Date.now() - sinceMs >= SOCKET_STALL_MS) return false;
      await this.#waiters.wait(ASKED_MS);
    }
    if (!isWanted()) return true;
    if (!this.#isClosed) this.#count(bytes);
    send();
    // Early, so that its answer is here before there is no room.
    if (this.#bytes * 2 >= this.#most) this.#say();
    return true;
  }

  /** Those who wait look again. */
  wake(): void {
    this.#waiters.wakeAll();
  }

  /** A client has sent back the text of an ask: if it is this one's, it has read what came before. */
  answered(text: string): void {
    const bytes = this.#asks.answered(text);
    if (bytes === null || this.#isClosed) return;
    this.#mustGiveWay = false;
    this.#count(-bytes);
    this.wake();
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.#count(-this.#bytes);
    this.wake();
  }

  /** @returns how much room there will be when it gives way, as it must now; 0: it need not */
  makeWay(sinceMs: number): number {
    if (!this.#asks.hasWaitedSince(sinceMs)) return 0;
    this.#mustGiveWay = true;
    return this.#bytes;
  }
}

/** Has those that have not answered for a while give way. @returns whether there is room already */
function isRoomMade(bytes: number, asks: SocketRoom): boolean {
  let missing = unreadBytes + bytes - QUERY_SOCKETS_UNREAD_BYTES_MAX;
  const sinceMs = Date.now() - ASKED_MS;
  for (const room of unread) if (missing > 0 && room !== asks) missing -= room.makeWay(sinceMs);
  return unreadBytes + bytes <= QUERY_SOCKETS_UNREAD_BYTES_MAX;
}
