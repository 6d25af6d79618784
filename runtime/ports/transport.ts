// The transport port: messages between two sides, with buffers handed over; knows no message.

import type { Unsubscribe } from './log.ts';

/** Anything structured clone takes. */
export type Message = unknown;

export interface Transport {
  /**
   * @param transfer buffers, and what else a host hands over, that leave this side
   * @param mayWait true: it may leave a little later, together with what follows it; to be given only where nobody changes the message
   *   meanwhile and there is nothing in it that cannot be sent
   */
  send(
    message: Message,
    transfer?: readonly Transferable[] | undefined,
    mayWait?: boolean | undefined,
  ): void;
  receive(on: (message: Message) => void): Unsubscribe;
}
