// What the push queries of one isolate hold in memory, their state and what they have read ahead of their readers, and which of them gives way; knows no SQL and no HTTP.

import { PortError } from '../runtime/base/errors.ts';
import {
  FETCH_BYTES_MAX,
  PUSH_QUERIES_HELD_BYTES_MAX,
  PUSH_QUERY_GONE_MS,
} from '../runtime/base/limits.ts';
import { shareOf } from './share.ts';

/** What was read comes to so many times as much until a reader has it: as it came, decoded, as rows and as their text. */
const READ_WEIGHT = 4;
/** What one reading may take, whatever is left. */
const READ_BYTES_MIN = 65_536;
/** How often one looks whether it has had to give way, and says that it lives. */
const WATCH_MS = 1_000;
/** A reader that has not come for so long is behind: what was read for it is held against it. */
const BEHIND_MS = 1_000;
/** State is looked at no more often. */
const LOOK_MS = 100;

export class PushRoom {
  readonly #readings = new Set<Reading>();
  #bytes = 0;

  /** Bytes that they hold, roughly. */
  get bytes(): number {
    this.#forgetGone();
    return this.#bytes;
  }

  /** Lets one in, until its `leave`. @throws {PortError} OVERLOADED */
  enter(): Reading {
    this.#forgetGone();
    this.settle();
    if (this.#bytes >= PUSH_QUERIES_HELD_BYTES_MAX) throw tooMuch('those that run');
    const reading = new Reading(this);
    this.#readings.add(reading);
    return reading;
  }

  /** How many bytes may be read at once, of `asked`: some, whatever is held. */
  share(asked: number): number {
    const left = (PUSH_QUERIES_HELD_BYTES_MAX - this.#bytes) / READ_WEIGHT;
    return shareOf(left, READ_BYTES_MIN, asked);
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  left(reading: Reading): void {
    if (this.#readings.delete(reading)) this.#bytes -= reading.bytes;
  }

  /** Where they hold too much, those that hold the most end. */
  settle(): void {
    const nowMs = Date.now();
    while (this.#bytes > PUSH_QUERIES_HELD_BYTES_MAX) {
      let most: Reading | null = null;
      for (const reading of this.#readings)
        if (reading.heldBytes(nowMs) > (most?.heldBytes(nowMs) ?? 0)) most = reading;
      if (most === null) return;
      this.left(most);
      most.fault = tooMuch('this one, which held the most');
    }
  }

  /** The platform may drop a request without a word, and its timers with it. */
  #forgetGone(): void {
    const beforeMs = Date.now() - PUSH_QUERY_GONE_MS;
    for (const reading of this.#readings) if (reading.heardMs <= beforeMs) this.left(reading);
  }
}

function tooMuch(whose: string): PortError {
  return new PortError(
    'OVERLOADED',
    `push queries may hold ${PUSH_QUERIES_HELD_BYTES_MAX} bytes here (PUSH_QUERIES_HELD_BYTES_MAX), and ${whose} would hold more: read faster, aggregate less, or try again later`,
  );
}

/** One push query: what it holds, and when it may read on. All but `fault` is of its own request. */
export class Reading {
  readonly #room: PushRoom;
  /** Bytes of its state, as stored. */
  #stateBytes: () => number = () => 0;
  #state = 0;
  #lookedMs = 0;
  /** Bytes read since its reader had all that there was. */
  #ahead = 0;
  #isWaitedFor = false;
  #movedMs = Date.now();
  #isOver = false;
  #wake: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | null = null;
  heardMs = Date.now();
  /** Why it has had to give way; null while it has not. */
  fault: PortError | null = null;

  constructor(room: PushRoom) {
    this.#room = room;
  }

  get bytes(): number {
    return this.#state + READ_WEIGHT * this.#ahead;
  }

  /** What counts where somebody must give way: what is on its way to a reader who comes for it does not. */
  heldBytes(nowMs: number): number {
    const isBehind = !this.#isWaitedFor && nowMs - this.#movedMs >= BEHIND_MS;
    return isBehind ? this.bytes : this.#state;
  }

  /** @param stateBytes of all of its tasks @param end ends it, where it has had to give way */
  begin(stateBytes: () => number, end: () => void): void {
    this.#stateBytes = stateBytes;
    this.#timer = setInterval(() => {
      this.heardMs = Date.now();
      if (this.fault !== null) end();
    }, WATCH_MS);
  }

  /** Waits until its reader is no longer far behind. @returns how many bytes may be read, of `asked` @throws {PortError} UNAVAILABLE: it is over */
  async turn(asked: number): Promise<number> {
    for (;;) {
      this.#look();
      this.#room.settle();
      if (this.#isOver || this.fault !== null)
        throw new PortError('UNAVAILABLE', 'the query has ended');
      if (this.#isWaitedFor || this.#ahead < FETCH_BYTES_MAX) return this.#room.share(asked);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake.push(resolve);
      await promise;
    }
  }

  #look(): void {
    const nowMs = Date.now();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#set(this.#stateBytes(), this.#ahead);
  }

  #set(state: number, ahead: number): void {
    const before = this.bytes;
    this.#state = state;
    this.#ahead = ahead;
    if (!this.#isOver && this.fault === null) this.#room.count(this.bytes - before);
  }

  read(bytes: number): void {
    this.#set(this.#state, this.#ahead + bytes);
  }

  /** The reader's next batch. Where it has to wait for one it has had all that was read. */
  async next<T>(take: () => Promise<T>): Promise<T> {
    // What lies there comes within this turn.
    const timer = this.#ahead === 0 ? null : setTimeout(() => this.#caughtUp(), 0);
    this.#isWaitedFor = this.#ahead === 0;
    try {
      return await take();
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#isWaitedFor = false;
      this.#movedMs = Date.now();
    }
  }

  #caughtUp(): void {
    this.#isWaitedFor = true;
    this.#set(this.#state, 0);
    this.#goOn();
  }

  #goOn(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** It is over, and holds nothing. */
  leave(): void {
    this.#room.left(this);
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#goOn();
  }
}

/** Those of this isolate. */
export const pushRoom = new PushRoom();
