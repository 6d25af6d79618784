// What stands before every route: origin, size, who asks and how often; and what every answer says. Knows no route.

import { REQUEST_HEADERS_BYTES_MAX, URL_LENGTH_MAX } from '../../runtime/base/limits.ts';
import { busy, refusal } from '../routes/errors.ts';
import { Buckets, type RateLimits } from './buckets.ts';
import { isLoopback } from './loopback.ts';
import { preflight, requireOrigin, showTo } from './origin.ts';
import { type Auth, type Principal, principalOf } from './principal.ts';
import type { UseTicket } from './tickets.ts';

export interface GuardOptions<Env> {
  readonly auth?: Auth<Env> | undefined;
  /** Origins of the pages that may ask, exactly as browsers write them; the edge's own is always one. */
  readonly cors?: { readonly origins: readonly string[] } | undefined;
  /** Requests a second; absent: the limits of a key, and none on this machine. */
  readonly limits?: RateLimits | undefined;
}

/** @throws 400 where a parameter stands twice */
function refuseRepeated(parameters: URLSearchParams): void {
  const given = new Set<string>();
  for (const name of parameters.keys()) {
    if (given.has(name)) throw refusal('BAD_REQUEST', `'${name.slice(0, 50)}' is given twice`);
    given.add(name);
  }
}

export class Guard<Env extends object> {
  readonly origins: ReadonlySet<string>;
  readonly #options: GuardOptions<Env>;
  readonly #useTicket: UseTicket<Env>;
  readonly #buckets: Buckets;

  constructor(options: GuardOptions<Env>, useTicket: UseTicket<Env>) {
    this.#options = options;
    this.#useTicket = useTicket;
    this.origins = new Set(options.cors?.origins);
    this.#buckets = new Buckets(options.limits ?? {});
  }

  /** Who asks. @throws 400, 401, 403, 414, 429, 431 */
  async admit(request: Request, env: Env): Promise<Principal> {
    if (request.url.length > URL_LENGTH_MAX) {
      throw refusal('URL_TOO_LONG', `a URL has at most ${URL_LENGTH_MAX} characters`);
    }
    if (request.url.includes('?')) refuseRepeated(new URL(request.url).searchParams);
    let bytes = 0;
    for (const [name, value] of request.headers) bytes += name.length + value.length + 4;
    if (bytes > REQUEST_HEADERS_BYTES_MAX) {
      const message = `the headers have at most ${REQUEST_HEADERS_BYTES_MAX} bytes`;
      throw refusal('HEADERS_TOO_LARGE', message);
    }
    requireOrigin(request, this.origins);
    const principal = await principalOf(request, env, this.#options.auth, this.#useTicket);
    this.#count(request, principal);
    return principal;
  }

  #count(request: Request, { name }: Principal): void {
    if (name === '' && this.#options.limits === undefined && isLoopback(request)) return;
    const counted =
      name === '' ? `address ${request.headers.get('CF-Connecting-IP')}` : `key ${name}`;
    const waitMs = this.#buckets.take(counted, Date.now());
    if (waitMs > 0) throw busy(waitMs);
  }

  /** The answer to a browser that asks what it may send; null: this is no such question. */
  preflight(request: Request): Response | null {
    return preflight(request, this.origins);
  }

  /** Adds what every answer says. */
  dress(request: Request, response: Response): void {
    response.headers.set('X-Content-Type-Options', 'nosniff');
    if (response.status === 401) response.headers.set('WWW-Authenticate', 'Bearer');
    showTo(request, this.origins, response.headers);
  }
}
