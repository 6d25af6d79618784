// The answer of a query over a shared WebSocket, within its credit (PROTOCOL.md section 8); knows no row.

import { PortError } from '../base/errors.ts';
import { SOCKET_PARK_MS, SOCKET_RESUMED_ROWS_MAX, SOCKET_WINDOW_ROWS_MAX } from '../base/limits.ts';
import {
  type AnswerHeader,
  type AnswerPart,
  type Asked,
  headerOf,
  type OpenAnswer,
} from './answer.ts';
import { errorOf } from './errors.ts';
import type { Channel, SharedSocket } from './sockets.ts';

/** The messages of the edge, but those of rows. */
interface Message {
  readonly op: 'header' | 'end' | 'error';
  readonly token?: string | undefined;
  readonly message?: string | null | undefined;
}

/** @throws what the edge refuses; UNAVAILABLE when the socket could not be opened or was cut */
export async function openSocketAnswer(
  socket: SharedSocket,
  { sql, properties, token, signal }: Asked,
): Promise<OpenAnswer> {
  signal.throwIfAborted();
  // A socket that is cut drops what it has received and not yet handed on (Node's does, while it inflates): what is on its way must be little
  // until some has come, or a connection that is cut often brings nothing.
  const credit = token === null ? SOCKET_WINDOW_ROWS_MAX : SOCKET_RESUMED_ROWS_MAX;
  const answer = new SocketAnswer(socket, credit);
  const asked = { sql, properties, credit };
  const place = token === null ? {} : { token };
  answer.id = await socket.join(answer, (id) => ({ op: 'query', id, ...asked, ...place }));
  const abort = (): void => void answer.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    answer.header = await answer.headed;
  } catch (thrown) {
    await answer.close();
    signal.throwIfAborted();
    throw thrown;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  return answer as OpenAnswer;
}

class SocketAnswer implements Channel {
  header: AnswerHeader | null = null;
  /** Its number on the socket; null before and after. */
  id: number | null = null;
  readonly #socket: SharedSocket;
  readonly #header = Promise.withResolvers<AnswerHeader>();
  readonly #parts: AnswerPart[] = [];
  /** What comes behind the parts. */
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  /** Rows that may come ahead of their reader. */
  #window: number;
  /** Rows that were read and not granted again. */
  #toGrant = 0;
  /** A row was read since it was last looked. */
  #isRead = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: SharedSocket, window: number) {
    this.#socket = socket;
    this.#window = window;
    this.#header.promise.catch(() => undefined); // Whoever waits for it is told.
  }

  get headed(): Promise<AnswerHeader> {
    return this.#header.promise;
  }

  received(text: string | Uint8Array): void {
    if (typeof text !== 'string') return;
    if (text.startsWith('{"op":"rows"')) {
      this.#parts.push({ kind: 'rows', text, token: null });
      this.#watch();
    } else {
      const message = JSON.parse(text) as Message;
      if (message.op === 'error') this.cut(errorOf(200, message));
      else if (message.op === 'end')
        this.#parts.push({ kind: 'end', message: message.message ?? null });
      else this.#head(message);
    }
    this.#wake?.();
  }

  cut(error: Error): void {
    this.#failure ??= error;
    this.#header.reject(error);
    this.#leave();
    this.#wake?.();
  }

  taken(): void {
    this.#toGrant += 1;
    this.#isRead = true;
    if (this.#toGrant * 2 < this.#window) return;
    this.#grant(Math.min(this.#window * 2, SOCKET_WINDOW_ROWS_MAX));
  }

  /** Grants what was read, and what makes the window so wide. */
  #grant(window: number): void {
    const { id } = this;
    if (id === null) return;
    this.#socket.send({ op: 'credit', id, rows: this.#toGrant + window - this.#window });
    this.#window = window;
    this.#toGrant = 0;
  }

  async next(): Promise<AnswerPart> {
    for (;;) {
      const part = this.#parts.shift();
      this.#watch();
      if (part !== undefined) return part;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  async close(): Promise<void> {
    this.#parts.length = 0;
    const { id } = this;
    if (id !== null) this.#socket.send({ op: 'close', id });
    this.cut(new PortError('UNAVAILABLE', 'the query was closed'));
  }

  #head(message: Message): void {
    try {
      this.#header.resolve(headerOf(message, message.token ?? null));
    } catch (thrown) {
      this.#header.reject(thrown);
    }
  }

  /** Rows that nobody reads would in the end close the socket, for all its readers: the edge is told to stop before. */
  #watch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#parts.length === 0 || this.id === null) return;
    this.#isRead = false;
    this.#timer = setTimeout(() => {
      if (this.id === null) return;
      if (this.#isRead) {
        this.#watch();
        return;
      }
      this.#socket.send({ op: 'close', id: this.id });
      this.#leave();
      const message = `rows were not read for ${SOCKET_PARK_MS / 1000} s: the query was put off`;
      this.#failure ??= new PortError('UNAVAILABLE', message);
    }, SOCKET_PARK_MS);
  }

  #leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.id !== null) this.#socket.leave(this.id);
    this.id = null;
  }
}
