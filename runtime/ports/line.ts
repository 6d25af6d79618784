// The line between two threads, a page and its Worker above all: numbered channels over one port, and what either side says within a turn as one message; knows no message.

import { LINE_FOLLOWED_MIN, LINE_MESSAGES_MAX, LINE_WAIT_MS_MAX } from '../base/limits.ts';
import type { Handed, Message, Transport } from './transport.ts';

/** What a MessagePort, a Worker and a Worker's own global scope have in common; only a port is started. */
export interface MessageEnd {
  postMessage(message: unknown, transfer: Handed[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  start?(): void;
}

type On = (message: Message) => void;

/**
 * Calls back once, when the turn is over.
 * @param waitMs how long that may take, where the end of a turn is a turn of the event loop, and so better left out
 */
export type AtEnd = (run: () => void, waitMs: number) => void;

/**
 * One end. What may wait leaves as one message: when the turn is over, with what may not wait, or with what follows on it. Where something
 * has followed often enough, as rows on the answer to `produce`, the end of the turn comes late: it would only find nothing.
 */
export class Line {
  readonly #end: MessageEnd;
  readonly #atEnd: AtEnd;
  readonly #receivers = new Map<number, On>();
  /** Channel, message, channel, message ... */
  #waiting: unknown[] = [];
  #transfer: Handed[] = [];
  /** true: the end of the turn is to come. */
  #isTurn = false;
  /** How often something has followed on what waited, since a turn ended in which nothing had. */
  #followed = 0;

  constructor(end: MessageEnd, atEnd: AtEnd) {
    this.#end = end;
    this.#atEnd = atEnd;
    end.addEventListener('message', this.take);
    end.start?.();
  }

  /** Takes what the other end has said. */
  readonly take = ({ data }: MessageEvent): void => {
    // Taken out: a browser's event, and with it its data, stays until a whole collection.
    const cameIn = (data as unknown[]).splice(0);
    for (let i = 0; i < cameIn.length; i += 2)
      this.#receivers.get(cameIn[i] as number)?.(cameIn[i + 1]);
  };

  /** The channel of that number; messages for one that nobody receives are dropped. */
  channel(id: number): Transport {
    return {
      send: (message, transfer = [], mayWait = false) => {
        if (!mayWait) this.flush();
        this.#waiting.push(id, message);
        this.#transfer.push(...transfer);
        if (!mayWait || this.#waiting.length >= LINE_MESSAGES_MAX * 2) this.flush();
        else if (!this.#isTurn) {
          this.#isTurn = true;
          this.#atEnd(this.#over, this.#followed < LINE_FOLLOWED_MIN ? 0 : LINE_WAIT_MS_MAX);
        }
      },
      receive: (on) => {
        this.#receivers.set(id, on);
        return () => this.#receivers.delete(id);
      },
    };
  }

  readonly #over = (): void => {
    this.#isTurn = false;
    if (this.#waiting.length > 0) this.#followed = 0;
    this.flush();
  };

  /** What waits leaves now; the last of it is what has followed on the others. */
  follow(): void {
    if (this.#waiting.length > 2) this.#followed += 1;
    this.flush();
  }

  /** What waits leaves now. */
  flush(): void {
    const waiting = this.#waiting;
    const transfer = this.#transfer;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#transfer = [];
    this.#end.postMessage(waiting, transfer);
  }
}
