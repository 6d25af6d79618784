// WebSockets over bare sockets, a thousand of them in one process: whole frames in, short texts out; knows no message.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectTo } from './raw-connection.ts';

const TEXT = 1;
const BINARY = 2;
const NOTHING = Buffer.alloc(0);
/** One open WebSocket. */
export class RawSocket {
  readonly #socket: Socket;
  /** The beginning of a frame. */
  #rest: Buffer = NOTHING;
  onText: (text: string) => void = () => undefined;
  onBinary: (bytes: Buffer) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number, path: string): Promise<RawSocket> {
    let opened: RawSocket | null = null;
    let head = Buffer.alloc(0);
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    const socket = connectTo(port, (part) => {
      if (opened !== null) opened.#take(part);
      else {
        head = Buffer.concat([head, part]);
        if (head.includes('\r\n\r\n')) resolve();
      }
    });
    await once(socket, 'connect');
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    await answered;
    const status = head.toString('latin1', 9, 12);
    if (status !== '101') throw new Error(`the upgrade was answered ${status}`);
    opened = new RawSocket(socket);
    opened.#take(head.subarray(head.indexOf('\r\n\r\n') + 4));
    return opened;
  }

  /** What asks whether it was read is sent back. */
  #text(text: string): void {
    if (text.startsWith('ask ')) this.#sendText(text);
    else this.onText(text);
  }

  send(message: object): void {
    this.#sendText(JSON.stringify(message));
  }

  #sendText(text: string): void {
    const payload = Buffer.from(text);
    const mask = randomBytes(4);
    const long = payload.length > 125;
    const head = Buffer.from(
      long
        ? [0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]
        : [0x81, 0x80 | payload.length],
    );
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
    this.#socket.write(Buffer.concat([head, mask, payload]));
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    let from = 0;
    while (bytes.length - from >= 2) {
      const short = (bytes[from + 1] ?? 0) & 127;
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length - from < headBytes) break;
      const length =
        short === 126
          ? bytes.readUInt16BE(from + 2)
          : short === 127
            ? Number(bytes.readBigUInt64BE(from + 2))
            : short;
      const end = from + headBytes + length;
      if (bytes.length < end) break;
      const op = (bytes[from] ?? 0) & 15;
      const payload = bytes.subarray(from + headBytes, end);
      from = end;
      if (op === TEXT) this.#text(payload.toString());
      else if (op === BINARY) this.onBinary(payload);
    }
    this.#rest = from === bytes.length ? NOTHING : Buffer.from(bytes.subarray(from));
  }
}
