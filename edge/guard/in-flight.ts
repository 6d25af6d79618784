// How much an isolate takes on: requests under way, those that wait to begin, and the bytes that they bring; judges before anything else does. Knows no route.

import {
  BODY_BYTES_MAX,
  REQUEST_GONE_MS,
  REQUEST_STUCK_MS,
  REQUEST_STUCK_MS_MAX,
  REQUEST_WAIT_MS_MAX,
  REQUESTS_IN_FLIGHT_BYTES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_IN_FLIGHT_MIN,
} from '../../runtime/base/limits.ts';
import { type Loop, Pace } from './pace.ts';

/** How often the first of those that wait looks whether it may begin, though nobody has left; and how often turns are measured where none waits. */
const WAITING_LOOK_MS = 10;
const LOOK_EVERY_MS = 25;
/** A look whose request has gone is not waited for longer. */
const LOOK_MS_MAX = 1_000;
/** Fewer that run make no turn that is worth a look, which costs two. */
const WORTH_A_LOOK = 4;
/** How much one that has begun says of how soon the next one will. */
const WEIGHT = 0.1;

/** A request that was let in. */
export interface Entered {
  /** null: of none that is counted. */
  readonly request: Request | null;
  /** What its body may come to. */
  readonly bytes: number;
  /** When it came, and of one that waited when it began. */
  sinceMs: number;
  /** When it may begin; false: it has waited too long, and is to be refused. null: at once. */
  turn: Promise<boolean> | null;
}

/** Waits on purpose and does no work meanwhile: counted nowhere, so that it need not be told when it has left. */
export const UNCOUNTED: Entered = { request: null, bytes: 0, sinceMs: 0, turn: null };

export interface InFlightLoop extends Loop {
  /** Calls back so many ms later unless it is cancelled, which is done by the same request. */
  readonly later: (ms: number, call: () => void) => () => void;
}

interface Waiting {
  readonly entered: Entered;
  state: 'waits' | 'begun' | 'refused';
  /** Has it look again, once it waits to be woken. */
  wake: () => void;
}

/**
 * Requests of one isolate, from their arrival until their answer begins. Few run at once; the others wait in the order in which they came, with their
 * bodies unread, until the loop has caught up (`Pace`), so that refusals do not stand behind them. Beyond REQUESTS_IN_FLIGHT_MIN none is let in that would
 * wait longer than REQUEST_WAIT_MS_MAX, as others have begun of late: a queue of bounded time, whatever a request costs. One whose client has gone meanwhile
 * does not begin, where the host says so (the compatibility flag `enable_request_signal`).
 */
export class InFlight {
  readonly #loop: InFlightLoop;
  readonly #pace: Pace;
  /** In the order in which they came; the first one looks when it may begin, and takes others along. */
  readonly #waiting = new Set<Waiting>();
  /** Those that have begun, in the order in which they did. */
  readonly #running = new Set<Entered>();
  #bytes = 0;
  /** When one that waited began, and how much later the next one does while others wait, on average. */
  #begunMs = -Infinity;
  #beginMs = 0;
  /** When the last look of one that runs began. */
  #lookedMs = -Infinity;
  #isLooking = false;

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
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const bytes = hasBody ? bodyBytes(headers.get('Content-Length')) : 0;
    const sinceMs = this.#loop.nowMs();
    this.#forgetGone(sinceMs);
    if (!this.#hasRoom(bytes)) {
      this.#pace.refused();
      return null;
    }
    this.#bytes += bytes;
    const entered: Entered = { request, bytes, sinceMs, turn: null };
    if (this.#waiting.size > 0 || this.#running.size >= this.#pace.atOnce)
      entered.turn = this.#wait(entered);
    else this.#running.add(entered);
    return entered;
  }

  leave(entered: Entered): void {
    if (!this.#running.delete(entered)) return;
    this.#bytes -= entered.bytes;
    this.#first?.wake();
  }

  /** Some wait for a place. */
  get isCrowded(): boolean {
    return this.#waiting.size > 0;
  }

  /** One that runs is to be counted here no more, nor are its bytes: its body comes slowly, and does no work meanwhile. */
  stepAside(request: Request): void {
    for (const running of this.#running) if (running.request === request) this.leave(running);
  }

  /** Nobody says of a request that the platform has dropped that it is over: it must not be in the way of others. */
  #forgetGone(nowMs: number): void {
    for (const running of this.#running) {
      if (nowMs - running.sinceMs < REQUEST_GONE_MS) break;
      this.leave(running);
    }
    // One that waits would have been refused by its timer.
    const first = this.#first;
    if (first !== undefined && nowMs - first.entered.sinceMs > 2 * REQUEST_STUCK_MS_MAX)
      this.#refuse(first);
  }

  /**
   * Measures a turn of the event loop while several run, so that what they cost is known before there are too many. To be kept alive by a request that runs.
   * null: there is no need, or it is too soon.
   */
  look(): Promise<void> | null {
    if (this.#running.size < WORTH_A_LOOK || this.#waiting.size > 0) return null;
    const nowMs = this.#loop.nowMs();
    if (nowMs - this.#lookedMs < (this.#isLooking ? LOOK_MS_MAX : LOOK_EVERY_MS)) return null;
    this.#lookedMs = nowMs;
    this.#isLooking = true;
    return this.#pace.next(this.#beginMs).finally(() => (this.#isLooking = false));
  }

  #hasRoom(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > REQUESTS_IN_FLIGHT_BYTES_MAX) return false;
    const underWay = this.#running.size + this.#waiting.size;
    if (underWay < REQUESTS_IN_FLIGHT_MIN) return !this.#isStuck;
    const waitMs = this.#waiting.size * this.#beginMs;
    return underWay < REQUESTS_IN_FLIGHT_MAX && waitMs < REQUEST_WAIT_MS_MAX;
  }

  /** What has begun takes so long that whoever came now would wait in vain. */
  get #isStuck(): boolean {
    const first = this.#first;
    return first !== undefined && this.#loop.nowMs() - first.entered.sinceMs > REQUEST_STUCK_MS;
  }

  get #first(): Waiting | undefined {
    const [first] = this.#waiting;
    return first;
  }

  async #wait(entered: Entered): Promise<boolean> {
    const waiting: Waiting = { entered, state: 'waits', wake: () => undefined };
    this.#waiting.add(waiting);
    // A promise that another request keeps is nothing that the platform sees a request wait for: the timer is.
    const cancel = this.#loop.later(REQUEST_STUCK_MS_MAX, () => this.#refuse(waiting));
    entered.request?.signal.addEventListener('abort', () => this.#refuse(waiting), { once: true });
    let hasLooked = false;
    while (waiting.state === 'waits') {
      // Another request resolves it. workerd runs what follows as the request that made the promise, by a mark that `new Promise` leaves out once it is
      // compiled well: then bodies were read as if by the other request, and each one after failed.
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      waiting.wake = resolve;
      if (this.#first !== waiting) {
        await woken;
      } else {
        // While some are refused, whoever comes first sees at once what those take that have begun; else a turn more for each is too much.
        const isPatient = hasLooked || !this.#pace.isRefusing;
        if (isPatient && this.#running.size >= this.#pace.atOnce)
          await this.#wokenOrSoon(waiting, woken);
        await this.#pace.next(this.#beginMs);
        hasLooked = true;
        if (this.#first === waiting) this.#begin();
      }
    }
    cancel();
    return waiting.state === 'begun';
  }

  /** Those that run may wait for objects elsewhere, and then more may run beside them although none of them ends. */
  async #wokenOrSoon(waiting: Waiting, woken: Promise<void>): Promise<void> {
    const cancel = this.#loop.later(WAITING_LOOK_MS, waiting.wake);
    await woken;
    cancel();
  }

  /** As many of the first as may run beside those that do. */
  #begin(): void {
    const nowMs = this.#loop.nowMs();
    for (const waiting of this.#waiting) {
      if (this.#running.size >= this.#pace.atOnce) break;
      const { entered } = waiting;
      this.#waiting.delete(waiting);
      this.#running.add(entered);
      // Those that begin together share what the first of them waited since others began.
      const behindMs = nowMs - Math.max(this.#begunMs, entered.sinceMs);
      entered.sinceMs = nowMs;
      this.#beginMs += WEIGHT * (behindMs - this.#beginMs);
      this.#begunMs = nowMs;
      waiting.state = 'begun';
      waiting.wake();
    }
    this.#first?.wake();
  }

  #refuse(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    this.#bytes -= waiting.entered.bytes;
    waiting.state = 'refused';
    waiting.wake();
    this.#first?.wake();
  }
}

/** A fetch that waits for records, or a socket: where their paths end so. Whatever else says that it waits does work meanwhile. */
function waits({ url, headers }: Request): boolean {
  if (headers.has('Upgrade')) return /^[^?]*socket(?:\?|$)/.test(url);
  return /^[^?]*\/records\?(?:.*&)?wait_ms=[1-9]/.test(url);
}

/** What the body may come to; one that does not say its length may be as long as may be. */
function bodyBytes(declared: string | null): number {
  const bytes = Number(declared ?? BODY_BYTES_MAX);
  return bytes >= 0 && bytes <= BODY_BYTES_MAX ? bytes : BODY_BYTES_MAX;
}
