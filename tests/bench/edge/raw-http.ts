// HTTP/1.1 over bare sockets: kept alive, pipelined, with as little work of the client as can be; knows no route.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectTo } from './raw-connection.ts';

export interface RawResponse {
  readonly status: number;
  /** Empty where it was not to be kept. */
  readonly body: Buffer;
  readonly bodyBytes: number;
}

interface Waiting {
  readonly keep: boolean;
  readonly resolve: (response: RawResponse) => void;
  readonly reject: (thrown: Error) => void;
}

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/** A request as it goes over the wire. */
export function requestBytes(
  method: string,
  path: string,
  body: Uint8Array | string | null = null,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const bytes = body === null ? null : Buffer.from(body as string);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(bytes === null ? [] : [`Content-Length: ${bytes.length}`]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  return bytes === null ? head : Buffer.concat([head, bytes]);
}

/** One connection; answers come in the order of the requests. */
export class RawHttp {
  readonly #port: number;
  #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #buffer: Buffer = NOTHING;
  /** Of the answer that is coming in; null: its head is not whole yet. */
  #head: { readonly status: number; readonly lengthBytes: number | null } | null = null;
  /** Bytes of the chunk that is coming in. */
  #chunkLeft = 0;
  #parts: Buffer[] = [];
  #partsBytes = 0;

  private constructor(port: number) {
    this.#port = port;
    this.#socket = this.#opened();
  }

  #opened(): Socket {
    const socket = connectTo(this.#port, (part) => this.#take(part));
    // Nothing comes this way but the end.
    socket.resume();
    socket.on('error', (thrown) => this.#fail(thrown));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
    return socket;
  }

  static async connect(port: number): Promise<RawHttp> {
    const connection = new RawHttp(port);
    await once(connection.#socket, 'connect');
    return connection;
  }

  /** Sends at once. @param keep false: of the body only its length is told */
  request(bytes: Buffer, keep = true): Promise<RawResponse> {
    return new Promise((resolve, reject) => {
      // A server closes what was idle for a while.
      if (this.#socket.destroyed || this.#socket.readableEnded) this.#socket = this.#opened();
      this.#waiting.push({ keep, resolve, reject });
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(thrown: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(thrown);
  }

  #take(part: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? part : Buffer.concat([this.#buffer, part]);
    while (this.#buffer.length > 0 && this.#step());
    this.#buffer = this.#buffer.length === 0 ? NOTHING : Buffer.from(this.#buffer);
  }

  /** One step of reading; false: more must come. */
  #step(): boolean {
    if (this.#head === null) {
      const end = this.#buffer.indexOf(HEAD_END);
      if (end < 0) return false;
      const text = this.#buffer.toString('latin1', 0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
      const status = Number(text.slice(9, 12));
      const isEmpty = status === 204 || status === 304;
      this.#head = {
        status,
        lengthBytes: length === undefined ? (isEmpty ? 0 : null) : Number(length),
      };
      this.#buffer = this.#buffer.subarray(end + 4);
      if (this.#head.lengthBytes === 0) this.#done();
      return true;
    }
    return this.#head.lengthBytes === null ? this.#chunk() : this.#whole(this.#head.lengthBytes);
  }

  #whole(lengthBytes: number): boolean {
    const missing = lengthBytes - this.#partsBytes;
    this.#add(this.#buffer.subarray(0, missing));
    this.#buffer = this.#buffer.subarray(missing);
    if (this.#partsBytes === lengthBytes) this.#done();
    return true;
  }

  #chunk(): boolean {
    if (this.#chunkLeft > 0) {
      const part = this.#buffer.subarray(0, this.#chunkLeft);
      this.#chunkLeft -= part.length;
      this.#buffer = this.#buffer.subarray(part.length);
      this.#add(part);
      return true;
    }
    // The line before a chunk, which may still have the end of the one before it.
    const from = this.#buffer[0] === 0x0d ? 2 : 0;
    const end = this.#buffer.indexOf(LINE_END, from);
    if (end < 0) return false;
    const size = Number.parseInt(this.#buffer.toString('latin1', from, end), 16);
    if (size === 0 && this.#buffer.length < end + 4) return false;
    this.#buffer = this.#buffer.subarray(size === 0 ? end + 4 : end + 2);
    this.#chunkLeft = size;
    if (size === 0) this.#done();
    return true;
  }

  #add(part: Buffer): void {
    if (this.#waiting[0]?.keep === true) this.#parts.push(Buffer.from(part));
    this.#partsBytes += part.length;
  }

  #done(): void {
    const waiting = this.#waiting.shift();
    const response = {
      status: this.#head?.status ?? 0,
      body: Buffer.concat(this.#parts),
      bodyBytes: this.#partsBytes,
    };
    this.#head = null;
    this.#parts = [];
    this.#partsBytes = 0;
    waiting?.resolve(response);
  }
}

/** Fails where an answer is not what a benchmark counts on. */
export function expectStatus(response: RawResponse, status: number): RawResponse {
  if (response.status === status) return response;
  throw new Error(
    `${response.status} where ${status} is due: ${response.body.toString().slice(0, 500)}`,
  );
}
