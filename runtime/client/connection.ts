// Requests to one edge: where it is, who asks, how long to wait and when to ask again; knows no route's meaning.

import { PortError } from '../base/errors.ts';
import { DELIVERY_MS_MAX, REQUEST_MS_MAX } from '../base/limits.ts';
import { failed, type Failed, unanswered } from './errors.ts';
import { later } from './later.ts';
import { Retries } from './retry.ts';
import type { Sockets } from './sockets.ts';
import { onWake } from './wake.ts';

/** Where an edge is, who asks, and for how long. */
export interface ConnectOptions {
  /** Where the edge is served, with the path before its routes if there is one. */
  readonly url: string | URL;
  /** What is sent as `Authorization: Bearer`; a function is asked before each request. Absent: nothing. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Sends the requests; absent: the host's `fetch`. A Worker gives a service binding's: `(url, init) => env.EDGE.fetch(url, init)`. */
  readonly fetch?: ((url: string, init: RequestInit) => Response | Promise<Response>) | undefined;
  /** How long what may be repeated is tried, in ms; absent, and at most: DELIVERY_MS_MAX. */
  readonly deadlineMs?: number | undefined;
  /** Opens WebSockets; absent: the host's class. */
  readonly WebSocket?: (new (url: string, protocols: string[]) => WebSocket) | undefined;
  /** How long one answer is waited for, in ms; absent, and at most: REQUEST_MS_MAX. */
  readonly requestMs?: number | undefined;
}

/** One request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array<ArrayBuffer> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long the edge was asked to wait before it answers. */
  readonly waitMs?: number | undefined;
}

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | ({ readonly ok: false } & Failed);

/** The way to one edge; holds nothing open but the sockets of those who read over them. */
export class Connection {
  readonly #url: string;
  #sockets: Promise<Sockets> | null = null;
  readonly #options: ConnectOptions;

  constructor(options: ConnectOptions) {
    this.#url = String(options.url).replace(/\/+$/, '');
    this.#options = options;
  }

  /** How long what may be repeated is tried. */
  get deadlineMs(): number {
    return Math.min(this.#options.deadlineMs ?? DELIVERY_MS_MAX, DELIVERY_MS_MAX);
  }

  /** How long one answer is waited for. */
  get requestMs(): number {
    return Math.min(this.#options.requestMs ?? REQUEST_MS_MAX, REQUEST_MS_MAX);
  }

  /** The WebSockets that this connection's readers share; their code is fetched with the first of them. @throws {PortError} UNAVAILABLE */
  sockets(): Promise<Sockets> {
    this.#sockets ??= later('sockets', import('./sockets.ts')).then(
      ({ Sockets }) => new Sockets(this, this.#options.WebSocket ?? globalThis.WebSocket),
    );
    this.#sockets.catch(() => {
      this.#sockets = null;
    });
    return this.#sockets;
  }

  /** Where a socket is opened, and whether it needs a ticket. */
  socketAt(path: string): { readonly url: string; readonly isGuarded: boolean } {
    const url = new URL(this.#url + path);
    url.protocol = url.protocol.replace('http', 'ws');
    return { url: String(url), isGuarded: this.#options.token !== undefined };
  }

  /** What opens a socket, asked for once. @throws what the edge refuses; UNAVAILABLE when another try may succeed */
  async ticketFor(path: string): Promise<string> {
    const call = jsonCall('/tickets', { path });
    const asked = await this.attempt(call, readJson<{ readonly ticket: string }>);
    if (asked.ok) return asked.value.ticket;
    if (!asked.isPassing) throw asked.error;
    throw new PortError('UNAVAILABLE', 'the edge gave no ticket', {}, { cause: asked.error });
  }

  /**
   * Asks once.
   * @param read takes the answer of a success; what it throws counts as no answer
   * @throws the reason of the call's signal alone
   */
  async attempt<T>(call: Call, read: (response: Response) => Promise<T>): Promise<Attempt<T>> {
    const { signal, waitMs = 0 } = call;
    signal?.throwIfAborted();
    const control = new AbortController();
    const abort = (): void => control.abort(signal?.reason);
    const late = (): void => control.abort(new DOMException('no answer in time', 'TimeoutError'));
    signal?.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(late, this.requestMs + waitMs);
    // What waits at the edge would wait on, on a connection that has died meanwhile.
    const end = onWake((isDoubtful) => isDoubtful && waitMs > 0 && late());
    try {
      const response = await this.#send(call, control.signal);
      // A page is what a server of pages gives for any path: another attempt brings no more.
      const isPage = response.headers.get('Content-Type')?.includes('html');
      if (response.ok && !isPage) return { ok: true, value: await read(response) };
      const body = await jsonOf(response);
      return { ok: false, ...failed(response.status, body, response.headers.get('Retry-After')) };
    } catch (thrown) {
      signal?.throwIfAborted();
      return { ok: false, ...unanswered(thrown) };
    } finally {
      clearTimeout(timer);
      end();
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Asks until there is an answer that another attempt would not change: for what may be done twice.
   * @throws what the edge refuses; UNAVAILABLE when nothing came of it before the deadline
   */
  retried<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    return this.#until(call, read, ({ isPassing }) => isPassing);
  }

  /** Asks until the edge has not refused for its load: for what must not be done twice. @throws as `retried` */
  once<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    return this.#until(call, read, ({ isPassing, isRefused }) => isPassing && isRefused);
  }

  async #until<T>(
    call: Call,
    read: (response: Response) => Promise<T>,
    mayRepeat: (failed: Failed) => boolean,
  ): Promise<T> {
    const retries = new Retries(this.deadlineMs);
    for (;;) {
      const attempt = await this.attempt(call, read);
      if (attempt.ok) return attempt.value;
      if (!mayRepeat(attempt) || !(await retries.wait(attempt.waitMs, call.signal)))
        throw attempt.error;
    }
  }

  async #send({ method, path, headers, body }: Call, signal: AbortSignal): Promise<Response> {
    const { token } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const send = this.#options.fetch ?? globalThis.fetch;
    return send(this.#url + path, {
      method,
      headers: { ...headers, ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }) },
      ...(body !== undefined && { body }),
      signal,
    });
  }
}

/** The body of an error; null: it is no JSON, and so none of the edge's. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** A JSON body, and how it is sent. */
export function jsonCall(path: string, body: unknown, signal?: AbortSignal | undefined): Call {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
  return { method: 'POST', path, headers, body: JSON.stringify(body), signal };
}

export async function readJson<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

/** The path of a topic. */
export function topicPath(topic: string): string {
  return `/topics/${encodeURIComponent(topic)}`;
}

/** The path of a partition. */
export function partitionPath(topic: string, partition: number): string {
  return `${topicPath(topic)}/partitions/${partition}`;
}
