// What may lie unread between the sockets of queries of one isolate and their clients: counted, and when a client has to say that it reads; knows no query.

import {
  QUERY_SOCKETS_UNREAD_BYTES_MAX,
  SOCKET_STALL_MS,
  SOCKET_UNREAD_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { shareOf } from '../share.ts';

/** What one socket may have, whatever is left. */
const UNREAD_BYTES_MIN = 65_536;

/** Of all sockets of an isolate. */
let unreadBytes = 0;

/**
 * One socket. What is sent to it the platform holds until its connection takes it, and says nothing: it counts as unread until the client says something that it only
 * says when it reads.
 */
export class SocketRoom {
  #bytes = 0;
  /** null: nobody waits for the client to say that it reads. */
  #asked: Promise<boolean> | null = null;
  #answered: ((reads: boolean) => void) | null = null;
  #isClosed = false;

  /** Of all sockets of the isolate. */
  static get unreadBytes(): number {
    return unreadBytes;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    unreadBytes += bytes;
  }

  #fits(bytes: number): boolean {
    const left = QUERY_SOCKETS_UNREAD_BYTES_MAX - unreadBytes;
    const most = shareOf(left, UNREAD_BYTES_MIN, SOCKET_UNREAD_BYTES_MAX);
    return this.#isClosed || this.#bytes === 0 || this.#bytes + bytes <= most;
  }

  /**
   * Sends so much once there is room for it: at once, so that nothing that was counted comes behind a question.
   * @param ask has the client say that it reads
   * @returns false when it has not within SOCKET_STALL_MS: nothing was sent
   */
  async give(bytes: number, send: () => void, ask: () => void): Promise<boolean> {
    while (!this.#fits(bytes)) if (!(await this.#reads(ask))) return false;
    if (!this.#isClosed) this.#count(bytes);
    send();
    return true;
  }

  async #reads(ask: () => void): Promise<boolean> {
    if (this.#asked === null) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => this.#answer(false), SOCKET_STALL_MS);
      this.#asked = promise;
      this.#answered = (reads) => {
        clearTimeout(timer);
        resolve(reads);
      };
      ask();
    }
    return this.#asked;
  }

  #answer(reads: boolean): void {
    const answered = this.#answered;
    this.#asked = null;
    this.#answered = null;
    answered?.(reads);
  }

  /** The client has granted credit, and so has read. */
  read(): void {
    this.#count(-this.#bytes);
    this.#answer(true);
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.read();
  }
}
