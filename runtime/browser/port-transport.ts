// The transport port over a MessagePort, a Worker or a Worker's own global scope; knows no message.

import type { Transport } from '../ports/transport.ts';

/** What the three have in common; only a port is started and closed. */
export interface MessageEnd {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  start?(): void;
  close?(): void;
}

/** Messages that come before somebody receives wait in the port. */
export function portTransport(port: MessageEnd): Transport & { close(): void } {
  return {
    send: (message, transfer = []) => port.postMessage(message, [...transfer]),
    receive(on) {
      const listener = ({ data }: MessageEvent): void => on(data);
      port.addEventListener('message', listener);
      port.start?.();
      return () => port.removeEventListener('message', listener);
    },
    close: () => port.close?.(),
  };
}
