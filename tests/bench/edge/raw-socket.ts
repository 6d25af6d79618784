// WebSockets over bare sockets, a thousand of them in one process: whole frames in, short texts out; knows no message.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TEXT = 1;
const BINARY = 2;

/** One open WebSocket. */
export class RawSocket {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  onText: (text: string) => void = () => undefined;
  onBinary: (bytes: Buffer) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number, path: string): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    for (;;) {
      const [part] = (await once(socket, 'data')) as [Buffer];
      head = Buffer.concat([head, part]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      const status = head.toString('latin1', 9, 12);
      if (status !== '101') throw new Error(`the upgrade was answered ${status}`);
      const opened = new RawSocket(socket);
      socket.on('data', (bytes: Buffer) => opened.#take(bytes));
      opened.#take(head.subarray(end + 4));
      return opened;
    }
  }

  send(message: object): void {
    const payload = Buffer.from(JSON.stringify(message));
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
    this.#buffer = this.#buffer.length === 0 ? part : Buffer.concat([this.#buffer, part]);
    while (this.#buffer.length >= 2) {
      const short = (this.#buffer[1] ?? 0) & 127;
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#buffer.length < headBytes) return;
      const length =
        short === 126
          ? this.#buffer.readUInt16BE(2)
          : short === 127
            ? Number(this.#buffer.readBigUInt64BE(2))
            : short;
      if (this.#buffer.length < headBytes + length) return;
      const op = (this.#buffer[0] ?? 0) & 15;
      const payload = this.#buffer.subarray(headBytes, headBytes + length);
      this.#buffer = this.#buffer.subarray(headBytes + length);
      if (op === TEXT) this.onText(payload.toString());
      else if (op === BINARY) this.onBinary(payload);
    }
  }
}
