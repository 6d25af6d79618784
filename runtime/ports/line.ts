// The line between two threads, a page and its Worker above all: numbered channels over one port, and what either side says within a turn as one message; knows no message.

import { LINE_MESSAGES_MAX } from '../base/limits.ts';
import type { Handed, Message, Transport } from './transport.ts';

/** What a MessagePort, a Worker and a Worker's own global scope have in common; only a port is started. */
export interface MessageEnd {
  postMessage(message: unknown, transfer: Handed[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  start?(): void;
}

type On = (message: Message) => void;

/** Calls back once, when the turn is over. */
export type AtEnd = (run: () => void) => void;

/**
 * One end. A turn begins with what has come in, or with the first message that may wait. At its end, what waits leaves as one message,
 * and what has come in meanwhile begins the next turn, all at once: the busier a side is, the more it takes in and gives out together.
 */
export class Line {
  readonly #end: MessageEnd;
  readonly #atEnd: AtEnd;
  readonly #receivers = new Map<number, On>();
  /** Channel, message, channel, message ... */
  #waiting: unknown[] = [];
  #transfer: Handed[] = [];
  #cameIn: unknown[] = [];
  #isTurn = false;

  constructor(end: MessageEnd, atEnd: AtEnd) {
    this.#end = end;
    this.#atEnd = atEnd;
    end.addEventListener('message', ({ data }) => {
      // Taken out: a browser's event, and with it its data, stays until a whole collection.
      this.#cameIn.push(...(data as unknown[]).splice(0));
      this.#begin();
    });
    end.start?.();
  }

  /** The channel of that number; messages for one that nobody receives are dropped. */
  channel(id: number): Transport {
    return {
      send: (message, transfer = [], mayWait = false) => {
        if (!mayWait) this.flush();
        this.#waiting.push(id, message);
        this.#transfer.push(...transfer);
        if (!mayWait || this.#waiting.length >= LINE_MESSAGES_MAX * 2) this.flush();
        else this.#begin();
      },
      receive: (on) => {
        this.#receivers.set(id, on);
        return () => this.#receivers.delete(id);
      },
    };
  }

  /** Begins a turn, unless there is one. */
  #begin(): void {
    if (this.#isTurn) return;
    this.#isTurn = true;
    this.#atEnd(() => {
      this.flush();
      this.#isTurn = false;
      if (this.#cameIn.length > 0) this.#begin();
    });
    const cameIn = this.#cameIn;
    this.#cameIn = [];
    for (let i = 0; i < cameIn.length; i += 2) {
      this.#receivers.get(cameIn[i] as number)?.(cameIn[i + 1]);
    }
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

/** Ends turns behind what the thread has to do already: microtasks, and messages that have come in. */
export function behindMessages(): AtEnd {
  const { port1, port2 } = new MessageChannel();
  let run: (() => void) | null = null;
  port1.addEventListener('message', () => run?.());
  port1.start();
  return (next) => {
    run = next;
    port2.postMessage(null);
  };
}
