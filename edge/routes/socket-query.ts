// One query on a WebSocket: the rows that its client will take, and whether it still wants any; knows no socket.

import { SOCKET_STALL_MS } from '../../runtime/base/limits.ts';
import { Waiters } from '../objects/waiters.ts';
import { RowParts } from '../rows.ts';

export class SocketQuery {
  readonly id: number;
  /** Rows that may still be sent. */
  credit: number;
  /** null while it is being started. */
  running: { close(): Promise<void>; readonly isResumable: boolean } | null = null;
  isClosed = false;
  /** Its rows are of no use any more: it had to give way. */
  isEnded = false;
  readonly parts = new RowParts();
  /** No timer is set and taken back for each wait: workerd keeps 260 bytes of each that is for as long as the socket lives. */
  readonly #waiters = new Waiters();

  constructor(id: number, credit: number) {
    this.id = id;
    this.credit = credit;
  }

  get isWanted(): boolean {
    return !this.isClosed && !this.isEnded;
  }

  /** Resolves when there is credit, or nobody wants rows. @returns false when neither comes within SOCKET_STALL_MS */
  async hasCredit(): Promise<boolean> {
    const untilMs = Date.now() + SOCKET_STALL_MS;
    for (let leftMs = SOCKET_STALL_MS; this.#isOwed; leftMs = untilMs - Date.now()) {
      if (leftMs <= 0) return false;
      await this.#waiters.wait(leftMs);
    }
    return true;
  }

  get #isOwed(): boolean {
    return this.credit === 0 && this.isWanted;
  }

  end(): void {
    this.isEnded = true;
    this.#waiters.wakeAll();
  }

  grant(rows: number): void {
    this.credit += rows;
    this.#waiters.wakeAll();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#waiters.wakeAll();
    await this.running?.close();
  }
}
