// The WebSockets of one connection, each shared by several readers; fetched with the first of them. Knows no message's meaning.

import type { PortError } from '../base/errors.ts';
import {
  ANSWER_SILENCE_MS_MAX,
  SOCKET_QUERIES_MAX,
  SOCKET_SUBSCRIPTIONS_MAX,
  WOKEN_SOCKET_MS_MAX,
} from '../base/limits.ts';
import type { Asked, OpenAnswer } from './answer.ts';
import type { Connection } from './connection.ts';
import { EdgeError } from './errors.ts';
import { cut } from './lines.ts';
import { openSocketAnswer } from './query-socket.ts';
import { Subscription, type SubscriptionOptions } from './record-socket.ts';
import { Reconnects, retried } from './retry.ts';
import { onWake } from './wake.ts';

/** One reader of a socket. */
export interface Channel {
  /** A text message with its number, or a binary one from behind it. */
  received(message: string | Uint8Array): void;
  /** The socket is gone. */
  cut(error: PortError): void;
}

type SocketClass = new (url: string, protocols: string[]) => WebSocket;

/** A socket that is open says so. */
const OPEN = 1;
/** A quiet socket is asked whether it lives this often. */
const PING_MS = ANSWER_SILENCE_MS_MAX / 3;
/** How long its answer is waited for. */
const ANSWER_MS_MAX = ANSWER_SILENCE_MS_MAX - PING_MS;

export class Sockets {
  readonly #queries: Pool;
  readonly #records: Pool;
  readonly #connection: Connection;

  constructor(connection: Connection, webSocket: SocketClass) {
    this.#connection = connection;
    const pool = (path: string, channelsMax: number): Pool =>
      new Pool(() => new SharedSocket({ connection, webSocket, path, channelsMax }));
    this.#queries = pool('/query-socket', SOCKET_QUERIES_MAX);
    this.#records = pool('/socket', SOCKET_SUBSCRIPTIONS_MAX);
  }

  /** Asks, and again while the edge does not answer. @throws what the edge refuses; UNAVAILABLE */
  query(asked: Asked): Promise<OpenAnswer> {
    const reconnects = new Reconnects(this.#connection.deadlineMs);
    const attempt = (): Promise<OpenAnswer> => openSocketAnswer(this.#queries.socket(), asked);
    return retried(asked.signal, reconnects, attempt);
  }

  /** The records of a partition; nothing is asked for before the first is. */
  subscription(options: SubscriptionOptions): Subscription {
    const reconnects = new Reconnects(this.#connection.deadlineMs);
    return new Subscription(() => this.#records.socket(), { ...options, reconnects });
  }
}

/** Sockets to one path, filled one after the other. */
class Pool {
  readonly #make: () => SharedSocket;
  #sockets: SharedSocket[] = [];

  constructor(make: () => SharedSocket) {
    this.#make = make;
  }

  /** One that has room. */
  socket(): SharedSocket {
    this.#sockets = this.#sockets.filter(({ isInUse }) => isInUse);
    let found = this.#sockets.find(({ hasRoom }) => hasRoom);
    if (found === undefined) this.#sockets.push((found = this.#make()));
    return found;
  }
}

interface SharedSocketOptions {
  readonly connection: Connection;
  readonly webSocket: SocketClass;
  readonly path: string;
  readonly channelsMax: number;
}

/** One WebSocket, opened with its first reader and closed with its last. */
export class SharedSocket {
  readonly #options: SharedSocketOptions;
  readonly #channels = new Map<number, Channel>();
  #opened: Promise<void> | null = null;
  #socket: WebSocket | null = null;
  /** Rises when the socket ends: what was under way for it is of no use. */
  #generation = 0;
  #nextId = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #endWakes: (() => void) | null = null;
  #heardMs = 0;
  /** When it was asked whether it lives, and when it does not if nothing was heard since. */
  #askedMs = 0;
  #goneMs = 0;

  constructor(options: SharedSocketOptions) {
    this.#options = options;
  }

  get isInUse(): boolean {
    return this.#channels.size > 0;
  }

  get hasRoom(): boolean {
    return this.#channels.size < this.#options.channelsMax;
  }

  /**
   * Adds a reader and sends its first message, which `first` makes of the reader's number. A number is never given again.
   * @throws {PortError} UNAVAILABLE when the socket cannot be opened
   */
  async join(channel: Channel, first: (id: number) => object): Promise<number> {
    const id = this.#nextId++;
    this.#channels.set(id, channel);
    try {
      this.#opened ??= this.#open();
      await this.#opened;
      if (this.#channels.has(id)) this.send(first(id));
      return id;
    } catch (thrown) {
      this.leave(id);
      throw thrown;
    }
  }

  /** What is sent to a socket that has gone is lost with it: its readers are told. */
  send(message: object | 'ping'): void {
    if (this.#socket?.readyState !== OPEN) return;
    this.#socket.send(message === 'ping' ? message : JSON.stringify(message));
  }

  /** Nothing more is handed to the reader. */
  leave(id: number): void {
    this.#channels.delete(id);
    if (this.#channels.size === 0) this.#end(null);
  }

  async #open(): Promise<void> {
    const { connection, webSocket: SocketClass, path } = this.#options;
    const { url, isGuarded } = connection.socketAt(path);
    const generation = this.#generation;
    const protocols = ['millrace'];
    if (isGuarded) protocols.push(`ticket.${await connection.ticketFor(path)}`);
    else if (!connection.isKnown) await greet(connection, path);
    if (generation !== this.#generation) throw cut('nobody waits for the socket any more');
    const socket = new SocketClass(url, protocols);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => socket.close(), connection.requestMs);
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('message', ({ data }) => this.#received(data as string | ArrayBuffer));
    // An error is always followed by a close.
    socket.addEventListener('close', ({ code, reason }) => {
      const error = cut(`the socket was closed: ${code} ${reason}`);
      reject(error);
      if (this.#socket === socket) this.#end(error);
    });
    const end = onWake((isDoubtful) => isDoubtful && socket.close());
    await promise.finally(() => {
      clearTimeout(timer);
      end();
    });
    if (this.#socket !== socket) throw cut('nobody waits for the socket any more');
    this.#heardMs = performance.now();
    this.#listen();
  }

  #received(data: string | ArrayBuffer): void {
    this.#heardMs = performance.now();
    if (typeof data === 'string') {
      const id = /^\{"op":"[a-z]+","id":(\d+)/.exec(data)?.[1];
      if (id !== undefined) this.#channels.get(Number(id))?.received(data);
      // The edge wants to know whether what it has sent was received.
      else if (data !== 'pong') this.#socket?.send(data);
      return;
    }
    const id = new DataView(data).getUint32(0, true);
    this.#channels.get(id)?.received(new Uint8Array(data, 4));
  }

  /** Asks whether the other side lives when it has been quiet, or the machine has slept. */
  #listen(): void {
    // A clock that stands still while a machine sleeps would not tell.
    const begunMs = Date.now();
    this.#endWakes?.();
    this.#endWakes = onWake((isDoubtful) =>
      this.#ask(isDoubtful ? WOKEN_SOCKET_MS_MAX : ANSWER_MS_MAX),
    );
    this.#after(PING_MS, () => {
      if (Date.now() - begunMs > PING_MS + WOKEN_SOCKET_MS_MAX) this.#ask(WOKEN_SOCKET_MS_MAX);
      else if (performance.now() - this.#heardMs >= PING_MS) this.#ask(ANSWER_MS_MAX);
      else this.#listen();
    });
  }

  /** Takes the other side for gone when it does not answer within that time, or what is left of the time of an ask before. */
  #ask(withinMs: number): void {
    const now = performance.now();
    if (this.#heardMs >= this.#askedMs) {
      this.#askedMs = now;
      this.#goneMs = Infinity;
    }
    this.#goneMs = Math.min(this.#goneMs, now + withinMs);
    this.send('ping');
    this.#after(this.#goneMs - now, () => {
      if (this.#heardMs >= this.#askedMs) this.#listen();
      else this.#end(cut('the socket was silent'));
    });
  }

  #after(ms: number, call: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(call, ms);
  }

  /** Closes the socket and tells its readers, where it did not end because they have all gone. */
  #end(error: PortError | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#endWakes?.();
    this.#endWakes = null;
    this.#generation += 1;
    const socket = this.#socket;
    this.#socket = null;
    this.#opened = null;
    socket?.close();
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    if (error !== null) for (const channel of channels) channel.cut(error);
  }
}

/** Asks what answers there: a socket that cannot be opened does not tell why. @throws what refuses */
async function greet(connection: Connection, path: string): Promise<void> {
  const call = { method: 'GET', path } as const;
  const asked = await connection.attempt(call, (response) => response.arrayBuffer());
  if (asked.ok || asked.isPassing) return;
  // That is how an edge answers what is no upgrade.
  if (asked.error instanceof EdgeError && asked.error.status === 426) return;
  throw asked.error;
}
