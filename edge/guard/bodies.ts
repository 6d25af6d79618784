// Bodies of requests, read as they come: how long they are, how slowly they may come, and how many of the slow ones there are; knows no route and no content.

import { HTTPException } from 'hono/http-exception';
import { messageOf, PortError } from '../../runtime/base/errors.ts';
import {
  BODY_BYTES_MAX,
  BODY_SLOW_MS,
  BODY_STALL_BYTES_MIN,
  BODY_STALL_MS,
  SLOW_BODIES_BYTES_MAX,
  SLOW_BODIES_MAX,
} from '../../runtime/base/limits.ts';
import { refusal } from '../routes/errors.ts';

/** How often one that has not come looks whether others wait for its place. */
const LOOK_MS = BODY_SLOW_MS / 10;
/** One that says that it is no longer is read as a whole: of 116 kB that takes a sixth less than piece by piece, but how much has come is not seen. */
const WHOLE_BYTES_MAX = 131_072;
/** Room for the first bytes of a longer one, and how much more each time that it is full: what a client says of a length takes no memory. */
const ROOM_BYTES_MIN = 65_536;
const GROWTH = 4;

/** A body on its way. */
class Coming {
  readonly sinceMs = Date.now();
  /** What one has said that is read as a whole; null: it comes piece by piece. */
  readonly wholeBytes: number | null;
  /** What it takes up: the room for it, or what it has said. */
  heldBytes: number;
  /** What has come piece by piece. */
  bytes = 0;
  reader: ReadableStreamBYOBReader | null = null;
  /** What had come when the last BODY_STALL_MS ended; of a whole one, what must have. */
  #before = 0;
  readonly #all = Promise.withResolvers<Uint8Array>();

  constructor(wholeBytes: number | null) {
    this.wholeBytes = wholeBytes;
    this.heldBytes = wholeBytes ?? ROOM_BYTES_MIN;
  }

  /** All of it; rejects when it is given up. A race of two promises takes more. */
  all(bytes: Promise<Uint8Array>): Promise<Uint8Array> {
    bytes.then(this.#all.resolve, this.#all.reject);
    return this.#all.promise;
  }

  end(why: Error): void {
    this.#all.reject(why);
  }

  /** Bytes a ms, at most. */
  rate(nowMs: number): number {
    return this.heldBytes / (nowMs - this.sinceMs + 1);
  }

  /** Judges another BODY_STALL_MS that has passed. */
  isStalled(): boolean {
    if (this.wholeBytes !== null) return (this.#before += BODY_STALL_BYTES_MIN) >= this.wholeBytes;
    const came = this.bytes - this.#before;
    this.#before = this.bytes;
    return came < BODY_STALL_BYTES_MIN;
  }
}

/** The places of requests that run. */
export interface Places {
  /** Some wait for one. */
  readonly isCrowded: boolean;
  /** A request holds its place no more. */
  stepAside(request: Request): void;
}

/**
 * Reads bodies. Most are there at once. One that is not holds no place of a request, after BODY_SLOW_MS or as soon as others wait for it: the slow ones are so many and hold so many bytes, for
 * themselves, and where there are more the slowest is given up. Each must bring some bytes in each BODY_STALL_MS; there is no bound for the time of all of it,
 * so that a long one over a bad connection comes to its end.
 */
export class Bodies {
  readonly #places: Places;
  readonly #slow = new Set<Coming>();

  constructor(places: Places) {
    this.#places = places;
  }

  /** Bytes that slow ones take up, at most SLOW_BODIES_BYTES_MAX. */
  get slowBytes(): number {
    return this.#slow.values().reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** At most SLOW_BODIES_MAX. */
  get slowBodies(): number {
    return this.#slow.size;
  }

  /**
   * The whole body. Of one that is too long as much again as may be is read and thrown away first, because a client that is cut off while it writes
   * may never see the answer.
   * @throws 413 beyond BODY_BYTES_MAX, 408 when it stalls, 400 when it breaks off; {PortError} OVERLOADED when others come faster
   */
  async read(request: Request): Promise<Uint8Array> {
    const length = request.headers.get('Content-Length');
    const declared = length === null ? null : Number(length);
    if (declared !== null && declared > 2 * BODY_BYTES_MAX) throw tooLarge();
    if (request.body === null) return new Uint8Array(0);
    const coming = new Coming(declared !== null && declared <= WHOLE_BYTES_MAX ? declared : null);
    let timer = setTimeout(() => look(), LOOK_MS);
    const look = (): void => {
      const isSlow = Date.now() - coming.sinceMs >= BODY_SLOW_MS;
      if (isSlow || this.#places.isCrowded) {
        this.#places.stepAside(request);
        this.#slow.add(coming);
        this.#makeRoom();
        watch();
      } else timer = setTimeout(look, LOOK_MS);
    };
    const watch = (): void => {
      timer = setTimeout(() => {
        if (coming.isStalled()) coming.end(stalled());
        else watch();
      }, BODY_STALL_MS);
    };
    try {
      const isWhole = coming.wholeBytes !== null;
      return await coming.all(isWhole ? whole(request) : this.#pieces(request.body, coming));
    } catch (thrown) {
      coming.reader?.cancel().catch(() => undefined); // It may have gone, and then there is nothing to cancel.
      if (thrown instanceof HTTPException || thrown instanceof PortError) throw thrown;
      throw refusal('BAD_REQUEST', `the body broke off: ${messageOf(thrown).slice(0, 200)}`);
    } finally {
      clearTimeout(timer);
      this.#slow.delete(coming);
    }
  }

  /** Into a buffer of its own: without one a reader takes a step, and makes a copy, each 4 KiB. */
  async #pieces(body: ReadableStream, coming: Coming): Promise<Uint8Array> {
    const reader = (coming.reader = body.getReader({ mode: 'byob' }));
    let buffer = new ArrayBuffer(ROOM_BYTES_MIN);
    for (;;) {
      // One that is too long is thrown away: what else comes is read over it.
      const at = coming.bytes > BODY_BYTES_MAX ? 0 : coming.bytes;
      const { done, value } = await reader.read(new Uint8Array(buffer, at));
      buffer = value?.buffer ?? buffer;
      coming.bytes += value?.length ?? 0;
      if (done || coming.bytes > 2 * BODY_BYTES_MAX) break;
      if (coming.bytes < buffer.byteLength || coming.bytes > BODY_BYTES_MAX) continue;
      // One byte more than there may be tells that there are more.
      buffer = buffer.transfer(Math.min(buffer.byteLength * GROWTH, BODY_BYTES_MAX + 1));
      coming.heldBytes = buffer.byteLength;
      if (this.#slow.has(coming)) this.#makeRoom();
    }
    if (coming.bytes > BODY_BYTES_MAX) throw tooLarge();
    return new Uint8Array(buffer, 0, coming.bytes);
  }

  /** Gives up slow ones, the slowest first, until the others have room. Also those whose requests the platform has dropped, of which nobody says that they are over. */
  #makeRoom(): void {
    const nowMs = Date.now();
    while (this.#slow.size > SLOW_BODIES_MAX || this.slowBytes > SLOW_BODIES_BYTES_MAX) {
      let slowest: Coming | null = null;
      for (const coming of this.#slow)
        if (slowest === null || coming.rate(nowMs) < slowest.rate(nowMs)) slowest = coming;
      if (slowest === null) return;
      this.#slow.delete(slowest);
      slowest.end(new PortError('OVERLOADED', 'too many bodies come slowly; try again later'));
    }
  }
}

/** HTTP ends a body where its length says. */
async function whole(request: Request): Promise<Uint8Array> {
  return new Uint8Array(await request.arrayBuffer());
}

function tooLarge(): Error {
  return refusal('BODY_TOO_LARGE', `a body has at most ${BODY_BYTES_MAX} bytes (BODY_BYTES_MAX)`);
}

function stalled(): Error {
  return refusal(
    'REQUEST_TIMEOUT',
    `less than ${BODY_STALL_BYTES_MIN} bytes of the body came within ${BODY_STALL_MS} ms (BODY_STALL_MS); nothing was done`,
  );
}
