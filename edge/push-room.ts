// What the push queries of one isolate hold in memory, their state and what they have read ahead of their readers, and which of them gives way; knows no SQL and no HTTP.

import { PortError } from '../runtime/base/errors.ts';
import {
  FETCH_BYTES_MAX,
  PUSH_QUERIES_HELD_BYTES_MAX,
  PUSH_QUERY_GONE_MS,
} from '../runtime/base/limits.ts';
import { MemoryStore } from '../runtime/memory/memory-store.ts';
import { QueryStore } from '../runtime/memory/query-store.ts';
import type { TaskStore } from '../runtime/ports/store.ts';
import { Waiters } from './objects/waiters.ts';
import { shareOf } from './share.ts';

/** What was read comes to so many times as much until a reader has it: as it came, decoded, as rows and as their text. */
const READ_WEIGHT = 4;
/** What one reading may take, whatever is left, and takes at first. */
const READ_BYTES_MIN = 65_536;
/** So many times as much is read next where what was asked for has come. */
const GROWTH = 4;
/** How often one looks whether it has had to give way, and says that it lives. */
const WATCH_MS = 1_000;
/** A reader that has not come for so long is behind: what was read for it is held against it. */
const BEHIND_MS = 1_000;
/** State is looked at no more often. */
const LOOK_MS = 100;
/** One that waits for room looks so often whether there is some though nobody has told; those behind it no longer wait for one that has not looked for so long. */
const ROOM_LOOK_MS = 100;
const ROOM_GONE_MS = 5 * ROOM_LOOK_MS;
/** Where some wait and nobody has given anything back for so long, nobody will. */
const STUCK_MS = 2_000;

export class PushRoom {
  readonly #readings = new Set<Reading>();
  /** Those that wait for room, in the order in which they came, and when each last looked. */
  readonly #waiting = new Map<Reading, number>();
  #bytes = 0;
  /** When room was given back last, or nobody waited. */
  #freedMs = 0;

  /** Bytes that they hold, roughly. */
  get bytes(): number {
    this.#forgetGone();
    return this.#bytes;
  }

  /** Lets one in, until its `leave`. @throws {PortError} OVERLOADED */
  enter(): Reading {
    this.#forgetGone();
    this.settle();
    let held = this.#bytes;
    for (const { comingBytes } of this.#readings) held -= comingBytes;
    // What one has read it keeps some room for as long as it runs: no more begin while others wait for theirs.
    const waits = this.#waiting.values().some((ms) => Date.now() - ms < ROOM_GONE_MS);
    if (waits || held >= PUSH_QUERIES_HELD_BYTES_MAX) throw tooMuch('those that run');
    const reading = new Reading(this);
    this.#readings.add(reading);
    return reading;
  }

  /**
   * How many bytes one may read, of `asked`, for which there is room: nothing is read before it is known where it may lie.
   * @param least it is of no use to read less
   * @returns null: it has to wait; to be asked again when it is woken, or after ROOM_LOOK_MS
   */
  share(reading: Reading, least: number, asked: number): number | null {
    const nowMs = Date.now();
    if (this.#waiting.size === 0) this.#freedMs = nowMs;
    if (this.#isFirst(reading, nowMs)) {
      const left = (PUSH_QUERIES_HELD_BYTES_MAX - this.#bytes) / READ_WEIGHT;
      const bytes = shareOf(left, least, asked);
      if (bytes <= left || this.#makeRoom(bytes * READ_WEIGHT, reading)) {
        this.#waiting.delete(reading);
        this.#wakeFirst();
        return bytes;
      }
    }
    if (!reading.hasGivenWay) this.#waiting.set(reading, nowMs);
    return null;
  }

  /** Others came before it, and still look. */
  #isFirst(reading: Reading, nowMs: number): boolean {
    for (const [other, lookedMs] of this.#waiting)
      if (other === reading || nowMs - lookedMs < ROOM_GONE_MS) return other === reading;
    return true;
  }

  #wakeFirst(): void {
    for (const reading of this.#waiting.keys()) {
      reading.wake();
      return;
    }
  }

  /** What one holds has changed from so many bytes. One that was taken for gone and is not is one of them again. */
  changed(reading: Reading, before: number): void {
    const isKnown = this.#readings.has(reading);
    this.#readings.add(reading);
    if (!isKnown) reading.heardMs = Date.now();
    this.#count(reading.bytes - (isKnown ? before : 0));
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes >= 0) return;
    this.#freedMs = Date.now();
    this.#wakeFirst();
  }

  left(reading: Reading): void {
    this.#waiting.delete(reading);
    if (this.#readings.delete(reading)) this.#count(-reading.bytes);
  }

  /** Where they hold too much, those that hold the most end. */
  settle(): void {
    const nowMs = Date.now();
    while (this.#bytes > PUSH_QUERIES_HELD_BYTES_MAX)
      if (!this.#end((reading) => reading.heldBytes(nowMs))) return;
  }

  /**
   * Ends those whose readers are behind, the ones that hold the most before the others; and where nobody gives anything back any more whoever holds the most: it
   * may itself wait for room.
   * @returns whether there is room now for the one that asks
   */
  #makeRoom(bytes: number, asks: Reading): boolean {
    const nowMs = Date.now();
    this.#forgetGone();
    while (this.#bytes + bytes > PUSH_QUERIES_HELD_BYTES_MAX) {
      if (this.#end((reading) => (reading.isBehind(nowMs) ? reading.bytes : 0))) continue;
      if (nowMs - this.#freedMs < STUCK_MS || !this.#end((reading) => reading.bytes)) return false;
    }
    return !asks.hasGivenWay;
  }

  /** @returns false: there is none that holds anything by this measure */
  #end(held: (reading: Reading) => number): boolean {
    let most: Reading | null = null;
    for (const reading of this.#readings)
      if (held(reading) > (most === null ? 0 : held(most))) most = reading;
    if (most === null) return false;
    this.left(most);
    most.hasGivenWay = true;
    return true;
  }

  /** The platform may drop a request without a word, and its timers with it. */
  #forgetGone(): void {
    const beforeMs = Date.now() - PUSH_QUERY_GONE_MS;
    for (const reading of this.#readings) if (reading.heardMs <= beforeMs) this.left(reading);
  }
}

/** What its reader is told of one that has given way. Made for that reader: an error holds what was on the stack, such as the records of whoever asked for the room. */
export function gaveWay(): PortError {
  return tooMuch('this one, which held the most');
}

function tooMuch(whose: string): PortError {
  return new PortError(
    'OVERLOADED',
    `push queries may hold ${PUSH_QUERIES_HELD_BYTES_MAX} bytes here (PUSH_QUERIES_HELD_BYTES_MAX), and ${whose} would hold more: read faster, aggregate less, or try again later`,
  );
}

/** What a read came to. */
interface Read {
  readonly bytes: number;
  /** Of its longest batch. */
  readonly longest: number;
  /** Of the first batch, where that is longer than what might come: none came then. Else 0. */
  readonly needed: number;
}

/** One partition as a push query reads it. */
interface Lane {
  /** Bytes that are asked for next, at least `least`: as many as the longest batch of late. */
  asked: number;
  least: number;
  /** What was read of it and its reader may not have. */
  ahead: number;
}

/** One push query: what it holds, and when it may read on. All but `hasGivenWay` is of its own request. */
export class Reading {
  readonly #room: PushRoom;
  /** Bytes of its state, as stored. */
  #stateBytes: () => number = () => 0;
  #state = 0;
  #lookedMs = 0;
  readonly #lanes = new Map<string, Lane>();
  /** Bytes read since its reader had all that there was, and those that are being read. */
  #ahead = 0;
  #coming = 0;
  #isWaitedFor = false;
  /** Batches that were asked for, whether the last one is waited for, and whether a timer will look at that. */
  #takes = 0;
  #isTaking = false;
  #isLooking = false;
  #movedMs = Date.now();
  #isOver = false;
  readonly #waiters = new Waiters();
  #timer: ReturnType<typeof setInterval> | null = null;
  heardMs = Date.now();
  hasGivenWay = false;

  constructor(room: PushRoom) {
    this.#room = room;
  }

  get bytes(): number {
    return this.#state + READ_WEIGHT * this.#ahead + this.comingBytes;
  }

  /** What of it is being read. */
  get comingBytes(): number {
    return READ_WEIGHT * this.#coming;
  }

  /** What is on its way to a reader who comes for it is not held against anybody. */
  isBehind(nowMs: number): boolean {
    return !this.#isWaitedFor && nowMs - this.#movedMs >= BEHIND_MS;
  }

  /** What counts where somebody must give way. */
  heldBytes(nowMs: number): number {
    return this.isBehind(nowMs) ? this.bytes : this.#state;
  }

  /** @param stateBytes of all of its tasks @param end ends it, where it has had to give way */
  begin(stateBytes: () => number, end: () => void): void {
    this.#stateBytes = stateBytes;
    this.#timer = setInterval(() => {
      this.heardMs = Date.now();
      this.#look();
      if (this.hasGivenWay) end();
      // What was read for a reader who still waits was no row for it.
      else if (this.#isWaitedFor && this.heardMs - this.#movedMs >= WATCH_MS) this.#caughtUp();
    }, WATCH_MS);
  }

  /**
   * Reads a partition once its reader is no longer far behind, and there is room for what comes.
   * @param key of the partition
   * @param read is told how many bytes may come at most; where a first batch is longer it is called again
   * @throws {PortError} UNAVAILABLE: it is over
   */
  async read<T extends Read>(
    key: string,
    asked: number,
    read: (bytesMax: number) => Promise<T>,
  ): Promise<T> {
    const lane = this.#lane(key);
    for (;;) {
      const bytesMax = await this.#turn(lane, asked);
      let came = 0;
      try {
        const found = await read(bytesMax);
        came = found.bytes;
        lane.least = Math.max(READ_BYTES_MIN, found.needed, found.longest);
        lane.asked = Math.min(came * GROWTH, FETCH_BYTES_MAX);
        if (found.needed === 0) return found;
      } finally {
        this.#set(this.#state, this.#ahead + came, this.#coming - bytesMax);
        lane.ahead += came;
        if (this.#isWaitedFor) this.#movedMs = Date.now();
        // Others may have waited because so much was on its way.
        if (this.#mayReadOn) this.wake();
      }
    }
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined)
      this.#lanes.set(key, (lane = { asked: READ_BYTES_MIN, least: READ_BYTES_MIN, ahead: 0 }));
    return lane;
  }

  /** @returns how many bytes may be read, of `asked`; they are counted */
  async #turn(lane: Lane, asked: number): Promise<number> {
    for (;;) {
      this.#look();
      this.#room.settle();
      if (this.#isOver || this.hasGivenWay)
        throw new PortError('UNAVAILABLE', 'the query has ended');
      // Whoever reads on has dealt with what it read before.
      if (this.#isWaitedFor) this.#forget(lane);
      if (this.#mayReadOn) {
        const most = Math.max(Math.min(asked, lane.asked), lane.least);
        const bytes = this.#room.share(this, lane.least, most);
        if (bytes !== null) {
          this.#set(this.#state, this.#ahead, this.#coming + bytes);
          return bytes;
        }
        await this.#waiters.wait(ROOM_LOOK_MS);
      } else await this.#waiters.wait(Infinity);
    }
  }

  /** Its reader waits, or is not far behind. */
  get #mayReadOn(): boolean {
    return this.#isWaitedFor || this.#ahead + this.#coming < FETCH_BYTES_MAX;
  }

  #forget(lane: Lane): void {
    const ahead = this.#ahead - lane.ahead;
    lane.ahead = 0;
    this.#set(this.#state, ahead, this.#coming);
  }

  #look(): void {
    const nowMs = Date.now();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#set(this.#stateBytes(), this.#ahead, this.#coming);
  }

  #set(state: number, ahead: number, coming: number): void {
    const before = this.bytes;
    this.#state = state;
    this.#ahead = ahead;
    this.#coming = coming;
    if (!this.#isOver && !this.hasGivenWay) this.#room.changed(this, before);
  }

  /** The reader's next batch. Where it has to wait for one it has had all that was read. */
  async next<T>(take: () => Promise<T>): Promise<T> {
    this.#takes += 1;
    this.#isTaking = true;
    this.#isWaitedFor = this.#ahead === 0;
    if (this.#isWaitedFor) this.wake();
    else this.#lookSoon();
    try {
      return await take();
    } finally {
      this.#isTaking = false;
      this.#isWaitedFor = false;
      this.#movedMs = Date.now();
    }
  }

  /** What lies there comes within this turn. No timer is taken back: workerd keeps 250 bytes of each that is for as long as the request lasts. */
  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const take = this.#takes;
    setTimeout(() => {
      this.#isLooking = false;
      if (!this.#isTaking || this.#isWaitedFor || this.#isOver) return;
      if (this.#takes === take) this.#caughtUp();
      else this.#lookSoon();
    }, 0);
  }

  #caughtUp(): void {
    this.#isWaitedFor = true;
    for (const lane of this.#lanes.values()) lane.ahead = 0;
    this.#set(this.#state, 0, this.#coming);
    this.wake();
  }

  /** Whoever waits looks again. */
  wake(): void {
    this.#waiters.wakeAll();
  }

  /** It is over, and holds nothing. */
  leave(): void {
    this.#room.left(this);
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.wake();
  }
}

/** Bytes of the state of a query's tasks, as stored, and of what lies between them in its own topics. */
export function stateBytesOf(store: TaskStore): number {
  if (!(store instanceof QueryStore)) return 0;
  const between = store instanceof MemoryStore ? (store.deliverTo?.lengthBytes ?? 0) : 0;
  return [...store.tasks.values()].reduce((sum, { tables }) => sum + tables.bytes, between);
}

/** Those of this isolate. */
export const pushRoom = new PushRoom();
