// How much an isolate takes on: requests under way, those that wait to begin, and the bytes that they bring; judges before anything else does. Knows no route.

import {
  BODY_BYTES_MAX,
  REQUEST_WAIT_MS_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
} from '../../runtime/base/limits.ts';
import { type Loop, Pace } from './pace.ts';

/** So long one waits at most. */
const LONGEST_WAIT_MS = 10 * REQUEST_WAIT_MS_MAX;
/** So many times as many as run at once are let in: each round of them takes about a turn. */
const ROUNDS_MAX = 16;

/** A request that was let in. */
export interface Entered {
  /** What its body may come to. */
  readonly bytes: number;
  /** When it may begin; false: it has waited too long, and is to be refused. null: at once. */
  readonly turn: Promise<boolean> | null;
}

/** Waits on purpose and does no work meanwhile: counted nowhere. */
const UNCOUNTED: Entered = { bytes: 0, turn: null };

export interface InFlightLoop extends Loop {
  /** Calls back so many ms later unless it is cancelled, which is done by the same request. */
  readonly later: (ms: number, call: () => void) => () => void;
}

interface Waiting {
  readonly bytes: number;
  readonly sinceMs: number;
  state: 'waits' | 'begun' | 'refused';
  /** Has it look again, once it waits to be woken. */
  wake: () => void;
}

/**
 * Requests of one isolate, from their arrival until their answer begins. Few run at once; the others wait in the order in which they came, with their
 * bodies unread, until the loop has caught up (`Pace`), so that refusals do not stand behind them. While the one that has waited longest has done so for
 * REQUEST_WAIT_MS_MAX, no more than REQUESTS_IN_FLIGHT_MIN are let in: a queue of bounded time, whatever a request costs, and a burst of so many is none.
 */
export class InFlight {
  readonly #loop: InFlightLoop;
  readonly #pace: Pace;
  /** In the order in which they came; the first one looks when it may begin, and takes others along. */
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  #bytes = 0;

  constructor(loop: InFlightLoop) {
    this.#loop = loop;
    this.#pace = new Pace(loop);
  }

  /**
   * Lets a request in, without a look at its body: under overload this is all that most requests cost.
   * @returns what `leave` is to be given when its answer has begun, or when it is told that it may not begin; null: there is no room for it
   */
  enter(request: Request): Entered | null {
    const { method, headers } = request;
    if (method === 'GET' && waits(request)) return UNCOUNTED;
    const oldest = this.#first;
    if (!this.#hasRoom(oldest)) return null;
    const bytes = method === 'GET' ? 0 : bodyBytes(headers.get('Content-Length'));
    if (this.#bytes > 0 && this.#bytes + bytes > REQUESTS_IN_FLIGHT_BYTES_MAX) return null;
    this.#bytes += bytes;
    if (oldest !== undefined || this.#running >= this.#pace.atOnce)
      return { bytes, turn: this.#wait(bytes) };
    this.#running += 1;
    return { bytes, turn: null };
  }

  leave(entered: Entered): void {
    if (entered === UNCOUNTED) return;
    this.#running -= 1;
    this.#bytes -= entered.bytes;
    this.#first?.wake();
  }

  #hasRoom(oldest: Waiting | undefined): boolean {
    const underWay = this.#running + this.#waiting.size;
    if (underWay < REQUESTS_IN_FLIGHT_MIN) return true;
    const most = Math.min(REQUESTS_IN_FLIGHT_MAX, ROUNDS_MAX * this.#pace.atOnce);
    return underWay < most && (oldest === undefined || !this.#isLate(oldest));
  }

  get #first(): Waiting | undefined {
    const [first] = this.#waiting;
    return first;
  }

  async #wait(bytes: number): Promise<boolean> {
    const sinceMs = this.#loop.nowMs();
    const waiting: Waiting = { bytes, sinceMs, state: 'waits', wake: () => undefined };
    this.#waiting.add(waiting);
    // A promise that another request keeps is nothing that the platform sees a request wait for: the timer is.
    const cancel = this.#loop.later(LONGEST_WAIT_MS, () => this.#refuse(waiting));
    while (waiting.state === 'waits') {
      if (this.#first !== waiting || this.#running >= this.#pace.atOnce) {
        await new Promise<void>((resolve) => (waiting.wake = resolve));
        continue;
      }
      await this.#pace.next();
      if (this.#first === waiting) this.#begin();
    }
    cancel();
    return waiting.state === 'begun';
  }

  /** As many of the first as may run beside those that do. */
  #begin(): void {
    for (const waiting of this.#waiting) {
      if (this.#running >= this.#pace.atOnce) break;
      this.#waiting.delete(waiting);
      this.#running += 1;
      waiting.state = 'begun';
      waiting.wake();
    }
    this.#first?.wake();
  }

  #refuse(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    this.#bytes -= waiting.bytes;
    waiting.state = 'refused';
    waiting.wake();
    this.#first?.wake();
  }

  /** Whether the one that has waited longest has done so for too long. */
  #isLate(oldest: Waiting): boolean {
    const waitedMs = this.#loop.nowMs() - oldest.sinceMs;
    // The platform has dropped its request, or its timer would have come: it must not be in the way of others.
    if (waitedMs > LONGEST_WAIT_MS) this.#refuse(oldest);
    return waitedMs > REQUEST_WAIT_MS_MAX;
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
