// How much an isolate does at once: requests under way and the bytes that they bring; judges before anything else does. Knows no route.

import {
  BODY_BYTES_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
  TURN_MS_MAX,
} from '../../runtime/base/limits.ts';

/** How often it looks how long a turn takes, at most. */
const LOOK_EVERY_MS = 10;
/** A look whose request has gone before it ended is not waited for longer; and what was seen longer ago says nothing any more. */
const LOOK_MS_MAX = 1_000;
/** Turns that take too long once, as those of a cold start, are no overload: the limit goes down when all have, for this long. */
const LONG_MS_MIN = 500;
/** What is left of the limit each time. */
const LESS = 0.75;

export interface Loop {
  readonly nowMs: () => number;
  /** Resolves in the next turn of the event loop. */
  readonly turn: () => Promise<void>;
}

/**
 * Requests of one isolate, from their arrival until their answer begins. Those that wait on purpose do no work meanwhile and are not counted.
 *
 * What is let in is worked on before anything else is looked at, so that a refusal waits as long as a turn of the event loop takes, and as many
 * turns as it takes to look at all that has come. So the limit goes down while all turns take longer than TURN_MS_MAX, and up again once one does not:
 * requests that wait for objects elsewhere make no turn longer, however many there are.
 */
export class InFlight {
  readonly #loop: Loop;
  #requests = 0;
  #bytes = 0;
  #limit = REQUESTS_IN_FLIGHT_MAX;
  /** Something was refused for the number of requests since the last look. */
  #isWanted = false;
  /** When the last look began. */
  #lookedMs = -Infinity;
  #isLooking = false;
  /** Since when all turns have been too long; null: the last was not. */
  #longSinceMs: number | null = null;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Requests that may be under way now, REQUESTS_IN_FLIGHT_MIN .. REQUESTS_IN_FLIGHT_MAX. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Lets a request in, without a look at its body: under overload this is all that most requests cost.
   * @returns what `leave` is to be given when its answer has begun; null: there is no room for it
   */
  enter(request: Request): number | null {
    const { method, headers } = request;
    if (method === 'GET' && waits(request)) return 0;
    if (this.#requests >= this.limit) {
      this.#isWanted = true;
      return null;
    }
    const bytes = method === 'GET' ? 0 : bodyBytes(headers.get('Content-Length'));
    if (this.#bytes > 0 && this.#bytes + bytes > REQUESTS_IN_FLIGHT_BYTES_MAX) return null;
    this.#requests += 1;
    this.#bytes += bytes;
    return bytes + 1;
  }

  leave(entered: number): void {
    if (entered === 0) return;
    this.#requests -= 1;
    this.#bytes -= entered - 1;
  }

  /** Measures a turn and sets the limit, to be kept alive by a request that was let in. null: it is too soon, or there is no need. */
  look(): Promise<void> | null {
    // So few are let in whatever the limit is.
    if (this.#requests < REQUESTS_IN_FLIGHT_MIN) return null;
    const nowMs = this.#loop.nowMs();
    const sinceMs = nowMs - this.#lookedMs;
    if (sinceMs < (this.#isLooking ? LOOK_MS_MAX : LOOK_EVERY_MS)) return null;
    if (sinceMs > LOOK_MS_MAX && !this.#isLooking) {
      this.#limit = REQUESTS_IN_FLIGHT_MAX;
      this.#longSinceMs = null;
    }
    this.#isLooking = true;
    this.#lookedMs = nowMs;
    return this.#look(nowMs);
  }

  async #look(beganMs: number): Promise<void> {
    await this.#loop.turn();
    const nowMs = this.#loop.nowMs();
    if (this.#lookedMs === beganMs) this.#isLooking = false;
    if (nowMs - beganMs > TURN_MS_MAX) {
      this.#longSinceMs ??= beganMs;
      if (nowMs - this.#longSinceMs >= LONG_MS_MIN) this.#lower();
    } else {
      this.#longSinceMs = null;
      if (this.#isWanted) this.#limit = Math.min(REQUESTS_IN_FLIGHT_MAX, this.#limit / LESS);
    }
    this.#isWanted = false;
  }

  /** From what is under way, which is what made the turns long. */
  #lower(): void {
    const underWay = Math.min(this.#limit, this.#requests);
    this.#limit = Math.max(REQUESTS_IN_FLIGHT_MIN, underWay * LESS);
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
