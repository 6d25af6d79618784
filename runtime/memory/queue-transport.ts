// Two ends of an in-memory transport: what one sends the other receives, in order and in a later turn; knows no message.

import type { Message, Transport } from '../ports/transport.ts';

/** A pair of connected transports. Messages are structured clones, so that both sides own what they hold. */
export function queueTransportPair(): readonly [Transport, Transport] {
  const left = new Set<(message: Message) => void>();
  const right = new Set<(message: Message) => void>();
  return [end(left, right), end(right, left)];
}

function end(
  own: Set<(message: Message) => void>,
  other: Set<(message: Message) => void>,
): Transport {
  return {
    send(message, transfer) {
      const copy: unknown = structuredClone(
        message,
        transfer === undefined ? {} : { transfer: [...transfer] },
      );
      queueMicrotask(() => {
        for (const on of other) on(copy);
      });
    },
    receive(on) {
      own.add(on);
      return () => own.delete(on);
    },
  };
}
