// A client of /socket, as tests write one: what came, by subscription, and what the server said; knows no server.

import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import { SOCKET_MESSAGES_SECOND_MAX } from '../../runtime/base/limits.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import { COMES_MS } from './waits.ts';

const FLOODS_MAX = 5;
/** Of no subscription or query: such messages mean nothing by themselves. */
const FLOODED_ID = 7;

/** A text of the server, parsed. */
export interface ServerMessage {
  readonly op: string;
  readonly id: number;
  readonly [member: string]: unknown;
}

/** One binary frame, taken apart. */
export interface Frame {
  readonly id: number;
  readonly highWatermark: number;
  readonly lengthBytes: number;
  /** Values as text, from the first batch's first record on. */
  readonly base: number;
  readonly values: readonly string[];
}

/** An open socket. What comes waits until it is asked for. */
export class SocketClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #items: (ServerMessage | Frame)[] = [];
  #wake: (() => void) | null = null;
  closed: { readonly code: number; readonly reason: string } | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      this.#items.push(
        typeof data === 'string'
          ? data.startsWith('{')
            ? (JSON.parse(data) as ServerMessage)
            : { op: data.slice(0, 4).trim(), id: -1, text: data }
          : frameOf(new Uint8Array(data as ArrayBuffer)),
      );
      this.#wake?.();
    });
    socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake?.();
    });
  }

  static async open(url: string): Promise<SocketClient> {
    const socket = new WebSocket(url.replace('http', 'ws'));
    const client = new SocketClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve(), { once: true });
      socket.addEventListener('error', () => reject(new Error('the socket was refused')), {
        once: true,
      });
    });
    return client;
  }

  send(message: object | string | Uint8Array<ArrayBuffer>): void {
    const isRaw = typeof message === 'string' || message instanceof Uint8Array;
    this.#socket.send(isRaw ? message : JSON.stringify(message));
  }

  /** The next thing that comes. @throws after `withinMs`, or when the socket is closed */
  async next(withinMs = COMES_MS): Promise<ServerMessage | Frame> {
    const end = performance.now() + withinMs;
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.closed !== null) throw new Error(`closed: ${JSON.stringify(this.closed)}`);
      await this.#changed(end - performance.now());
    }
  }

  /** The next text; fails for records. */
  async message(): Promise<ServerMessage> {
    const item = await this.next();
    if ('op' in item) return item;
    throw new Error(`records came: ${JSON.stringify(item)}`);
  }

  /** The next frame; fails for a text. */
  async frame(): Promise<Frame> {
    const item = await this.next();
    if (!('op' in item)) return item;
    throw new Error(`a text came: ${JSON.stringify(item)}`);
  }

  /** How it was closed. */
  async close(): Promise<{ readonly code: number; readonly reason: string }> {
    const end = performance.now() + COMES_MS;
    while (this.closed === null) await this.#changed(end - performance.now());
    return this.closed;
  }

  /**
   * How a socket of records or rows is closed that sends one message more in a second than may be, and nothing behind it: TCP resets a connection whose other
   * end has not read all, and the close frame that is on its way goes down with it. Where the edge was kept from reading them within a second it is done again.
   */
  async flood(): Promise<{ readonly code: number; readonly reason: string }> {
    for (let floods = 0; floods < FLOODS_MAX; floods++) {
      for (let i = 0; i <= SOCKET_MESSAGES_SECOND_MAX; i++)
        this.send({ op: 'credit', id: FLOODED_ID, bytes: 0, rows: 0 });
      for (let waits = 0; waits < 30 && this.closed === null; waits++) await this.isQuiet(100);
      if (this.closed !== null) return this.closed;
    }
    throw new Error(`${FLOODS_MAX} times too many messages closed nothing`);
  }

  /** True when nothing comes for so long. */
  async isQuiet(forMs: number): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, forMs));
    return this.#items.length === 0;
  }

  async #changed(withinMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in time')), withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }
}

function frameOf(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer);
  const values: string[] = [];
  let at = 16;
  let base = -1;
  for (let batch = 0; batch < view.getUint32(4, true); batch++) {
    const length = view.getUint32(at + 12, true);
    if (base < 0) base = view.getFloat64(at, true);
    const records = parseRecordBatch(bytes.slice(at + 16, at + 16 + length));
    for (let i = 0; i < records.count; i++)
      values.push(decodeUtf8(records.value(i) ?? new Uint8Array(0)));
    at += 16 + length;
  }
  if (at !== bytes.length) throw new Error('a frame is longer than its batches');
  return {
    id: view.getUint32(0, true),
    highWatermark: view.getFloat64(8, true),
    lengthBytes: bytes.length,
    base,
    values,
  };
}
