// The transport port: messages between two sides, with buffers handed over; knows no message.

import type { Unsubscribe } from './log.ts';

/** Anything structured clone takes. */
export type Message = unknown;

export interface Transport {
  /** @param transfer buffers, and what else a host hands over, that leave this side */
  send(message: Message, transfer?: readonly Transferable[] | undefined): void;
  receive(on: (message: Message) => void): Unsubscribe;
}
