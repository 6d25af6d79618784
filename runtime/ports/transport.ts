// The transport port: messages between two sides, with buffers handed over; knows no message.

import type { Port } from '../base/host-types.ts';
import type { Unsubscribe } from './log.ts';

/** What leaves a side with a message instead of being copied. */
export type Handed = ArrayBuffer | Port;

/** Anything structured clone takes. */
export type Message = unknown;

export interface Transport {
  /**
   * @param transfer what leaves this side
   * @param mayWait true: it may leave a little later, together with what follows it; to be given only where nobody changes the message
   *   meanwhile and there is nothing in it that cannot be sent
   */
  send(
    message: Message,
    transfer?: readonly Handed[] | undefined,
    mayWait?: boolean | undefined,
  ): void;
  receive(on: (message: Message) => void): Unsubscribe;
}
