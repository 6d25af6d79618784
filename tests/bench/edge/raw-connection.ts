// Bare sockets that are read into one buffer: as little work of the client as can be; knows no protocol.

import { connect, type Socket } from 'node:net';

/** What one read takes at most. */
const READ_BYTES = 262_144;
/** Shared by all: what is read is looked at before the next read, and copied where it is kept. A stream makes a buffer and an event for each read. */
const readInto = Buffer.alloc(READ_BYTES);

/** @param take is given what is read: a view that is good until it returns */
export function connectTo(port: number, take: (part: Buffer) => void): Socket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: readInto,
      callback: (length, bytes) => {
        take(Buffer.from(bytes.buffer, bytes.byteOffset, length));
        return true;
      },
    },
  });
  socket.setNoDelay(true);
  return socket;
}
