// How much an isolate does at once: requests under way and the bytes that they bring; judges before anything else does. Knows no route.

import {
  BODY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
} from '../../runtime/base/limits.ts';

/** Requests of one isolate, from their arrival until their answer begins. Those that wait on purpose do no work meanwhile and are not counted. */
export class InFlight {
  #requests = 0;
  #bytes = 0;

  /**
   * Lets a request in, without a look at its body: under overload this is all that most requests cost.
   * @returns what `leave` is to be given when its answer has begun; null: there is no room for it
   */
  enter(request: Request): number | null {
    const { method, headers } = request;
    if (method === 'GET' && waits(request)) return 0;
    const bytes = method === 'GET' ? 0 : bodyBytes(headers.get('Content-Length'));
    const isFull =
      this.#requests >= REQUESTS_IN_FLIGHT_MAX ||
      (this.#bytes > 0 && this.#bytes + bytes > REQUESTS_IN_FLIGHT_BYTES_MAX);
    if (isFull) return null;
    this.#requests += 1;
    this.#bytes += bytes;
    return bytes + 1;
  }

  leave(entered: number): void {
    if (entered === 0) return;
    this.#requests -= 1;
    this.#bytes -= entered - 1;
  }
}

/** A fetch that waits for records, or a socket. */
function waits(request: Request): boolean {
  return request.headers.has('Upgrade') || /[?&]wait_ms=[1-9]/.test(request.url);
}

/** What the body may come to; one that does not say its length may be as long as may be. */
function bodyBytes(declared: string | null): number {
  const bytes = Number(declared ?? BODY_BYTES_MAX);
  return bytes >= 0 && bytes <= BODY_BYTES_MAX ? bytes : BODY_BYTES_MAX;
}
