// Requests to one edge: where it is, who asks, how long to wait and when to ask again; knows no route's meaning.

import { PortError } from '../base/errors.ts';
import { DELIVERY_MS_MAX, REQUEST_MS_MAX } from '../base/limits.ts';
import { checkOptions } from '../base/options.ts';
import { EdgeError, failed, type Failed, isErrorBody, unanswered } from './errors.ts';
import { later } from './later.ts';
import { Retries } from './retry.ts';
import type { Sockets } from './sockets.ts';
import { onWake } from './wake.ts';

/** Where an edge is, who asks, and for how long. */
export interface ConnectOptions {
  /** Where the edge is served, with the path before its routes if there is one. */
  readonly url: string | URL;
  /**
   * What is sent as `Authorization: Bearer`. A function is asked before each request, and once more with what it gave where the edge refuses that
   * (401): another token is then tried at once. What it throws ends what was asked for, as it is; it has `requestMs`. Absent: nothing is sent.
   */
  readonly token?: string | ((refused?: string) => string | Promise<string>) | undefined;
  /** Sends the requests; absent: the host's `fetch`. A Worker gives a service binding's: `(url, init) => env.EDGE.fetch(url, init)`. */
  readonly fetch?: ((url: string, init: RequestInit) => Response | Promise<Response>) | undefined;
  /** How long what may be repeated is tried, in ms; absent, and at most: DELIVERY_MS_MAX. */
  readonly deadlineMs?: number | undefined;
  /** Opens WebSockets; absent: the host's class. */
  readonly WebSocket?: (new (url: string, protocols: string[]) => WebSocket) | undefined;
  /** How long one answer is waited for, in ms; absent, and at most: REQUEST_MS_MAX. */
  readonly requestMs?: number | undefined;
}

const OPTIONS = {
  url: 'string | object',
  token: 'string | function',
  fetch: 'function',
  deadlineMs: 'number',
  WebSocket: 'function',
  requestMs: 'number',
} as const;

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
  /** The origin of the page, where the edge has another one. */
  readonly #stranger: string | null;
  #isKnown = false;
  #sockets: Promise<Sockets> | null = null;
  readonly #options: ConnectOptions;

  /** @throws {TypeError} for a url that no request can go to, and options that are none */
  constructor(options: ConnectOptions) {
    checkOptions('connect', options, OPTIONS, 'url');
    // In a page it may be a path.
    const { location } = globalThis as {
      readonly location?: { readonly href: string; readonly origin: string };
    };
    const { protocol, href, origin } = new URL(options.url, location?.href);
    if (!protocol.startsWith('http')) throw new TypeError(`connect: ${href} is not http or https`);
    this.#url = href.replace(/\/+$/, '');
    this.#stranger = location === undefined || location.origin === origin ? null : location.origin;
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

  /** true: what answers at the url is an edge. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Asks once, and where the edge knows the token no more and there is another one, again with that.
   * @param read takes the answer of a success; what it throws counts as no answer
   * @throws the reason of the call's signal alone
   */
  async attempt<T>(call: Call, read: (response: Response) => Promise<T>): Promise<Attempt<T>> {
    const given = await this.#token(call.signal);
    if (!given.ok) return given;
    const attempt = await this.#attempt(call, read, given.value);
    if (attempt.ok || !(attempt.error instanceof EdgeError) || attempt.error.status !== 401)
      return attempt;
    const other = await this.#token(call.signal, given.value);
    if (!other.ok) return other;
    return other.value === given.value ? attempt : this.#attempt(call, read, other.value);
  }

  /** What to show now, or instead of what was refused; undefined: nothing. @throws the signal's reason alone */
  async #token(
    signal: AbortSignal | undefined,
    refused?: string,
  ): Promise<Attempt<string | undefined>> {
    signal?.throwIfAborted();
    const { token } = this.#options;
    try {
      const value =
        typeof token === 'function' ? await this.#inTime(token, refused, signal) : token;
      checkToken(value);
      return { ok: true, value };
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = thrown as Error;
      return { ok: false, error, isPassing: thrown instanceof Late, isRefused: true, waitMs: 0 };
    }
  }

  /** @throws what the function throws; {Late} */
  async #inTime(
    token: Exclude<ConnectOptions['token'], string | undefined>,
    refused: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = (): void => reject(signal?.reason as Error);
    const timer = setTimeout(() => reject(new Late(this.requestMs)), this.requestMs);
    signal?.addEventListener('abort', abort);
    try {
      return await Promise.race([token(refused), promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  async #attempt<T>(
    { signal, waitMs = 0, method, path, headers, body }: Call,
    read: (response: Response) => Promise<T>,
    bearer: string | undefined,
  ): Promise<Attempt<T>> {
    signal?.throwIfAborted();
    const control = new AbortController();
    const abort = (): void => control.abort(signal?.reason);
    const late = (): void => control.abort(new DOMException('no answer in time', 'TimeoutError'));
    signal?.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(late, this.requestMs + waitMs);
    // What waits at the edge would wait on, on a connection that has died meanwhile.
    const end = onWake((isDoubtful) => isDoubtful && waitMs > 0 && late());
    try {
      const send = this.#options.fetch ?? globalThis.fetch;
      const url = this.#url + path;
      const response = await send(url, {
        method,
        headers: { ...headers, ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }) },
        ...(body !== undefined && { body }),
        signal: control.signal,
      });
      const isPage = response.headers.get('Content-Type')?.includes('html') === true;
      if (response.ok && !isPage) {
        const value = await read(response);
        this.#isKnown = true;
        return { ok: true, value };
      }
      // An answer that is not read keeps its connection, of which browsers have six.
      if (isPage) control.abort();
      const said = isPage ? null : await jsonOf(response);
      if (isErrorBody(said)) this.#isKnown = true;
      return { ok: false, ...failed(response, { url, body: said, isKnown: this.#isKnown }) };
    } catch (thrown) {
      control.abort();
      signal?.throwIfAborted();
      return { ok: false, ...unanswered(thrown, this.#isKnown ? null : this.#stranger) };
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
}

/** No token came in time. */
class Late extends PortError {
  constructor(requestMs: number) {
    super('UNAVAILABLE', `token() gave none in ${requestMs} ms`);
  }
}

/** What no request could carry would look as if none was answered. @throws {TypeError} */
function checkToken(value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== 'string') throw new TypeError(`a token is a text, not ${typeof value}`);
  new Headers().set('Authorization', value);
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
