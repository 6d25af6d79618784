// The transport port over a MessagePort; knows no message.

import type { Transport } from '../ports/transport.ts';

/** Messages that come before somebody receives wait in the port. */
export function portTransport(port: MessagePort): Transport & { close(): void } {
  return {
    send: (message, transfer = []) => port.postMessage(message, [...transfer]),
    receive(on) {
      const listener = ({ data }: MessageEvent): void => on(data);
      port.addEventListener('message', listener);
      port.start();
      return () => port.removeEventListener('message', listener);
    },
    close: () => port.close(),
  };
}
