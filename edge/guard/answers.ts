// Answers on their way to readers: given piece by piece as they are taken, bounded together by what waits in memory, ended where nobody reads; knows no format.

import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { PortError } from '../../runtime/base/errors.ts';
import {
  ANSWER_ROOM_WAIT_MS_MAX,
  ANSWER_STALL_MS,
  ANSWERS_HELD_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import { log } from '../../runtime/base/log.ts';
import { GONE_MS, type Held, HeldBytes, IDLE_MS, WATCH_MS } from '../held-bytes.ts';
import { Lines } from '../rows.ts';

/** What the platform is given at a time. It cannot be taken back from a connection that nobody reads. */
const PIECE_BYTES = 131_072;
/** What is read takes so much more until it is a text, and that is bytes. */
const READ_WEIGHT = 3;
/** How often a read looks whether there is room. */
const ROOM_LOOK_MS = 100;
/** A text of so many UTF-16 units is no longer than that for certain. */
const SHORT_LENGTH = Math.floor(PIECE_BYTES / 3);

/** What an answer is made of. */
export interface AnswerParts {
  readonly texts: AsyncIterator<string, void>;
  /** What is said at last when the next text cannot be made, or there is no room for it. */
  readonly failure: (thrown: unknown) => string;
  /** Called once: when the last text has been taken, when the reader has gone, or has read nothing for too long. */
  readonly onEnd: () => void | Promise<void>;
}

/** An answer of which something waits for its reader. */
class Going {
  /** The text that is being given; null: the next one has to be made. */
  bytes: Uint8Array<ArrayBuffer> | null = null;
  /** What texts are still to be made of. */
  lines: Lines | null = null;
  /** null: it has no more than a piece. */
  held: Held<Going> | null = null;
  #at = 0;
  /** When its reader took something last, and whether it is the reader who is waited for: at first, too, or one that nobody ever reads would stay. */
  movedMs = Date.now();
  isWaiting = true;
  /** It has had to give way. */
  isEnded = false;

  hold(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.#at = 0;
  }

  /** A copy, because the platform would hold all of it for the sake of a view. */
  piece(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
    const piece =
      bytes.length <= PIECE_BYTES ? bytes : bytes.slice(this.#at, this.#at + PIECE_BYTES);
    this.#at += piece.length;
    if (this.#at === bytes.length) this.bytes = null;
    return piece;
  }

  idleMs(nowMs: number): number {
    return this.isWaiting ? nowMs - this.movedMs : 0;
  }

  giveWay(): void {
    this.bytes = null;
    this.lines?.drop();
    this.isEnded = true;
  }
}

/** Rows that an answer is made of. */
export interface UntakenRows {
  /**
   * The next of them, a piece at least; none: there are no more.
   * @throws {PortError} OVERLOADED: nobody took any for too long
   */
  next(): readonly string[];
  /** Nobody wants them any more. */
  letGo(): void;
}

/**
 * What an isolate holds of answers whose readers are slow: at most ANSWERS_HELD_BYTES_MAX. As it becomes more, pages become shorter; where there is no room at
 * all, those of which nothing is taken give way.
 */
export class Answers {
  /** Of those that have more than a piece. */
  readonly #held = new HeldBytes<Going>(ANSWERS_HELD_BYTES_MAX, (going, nowMs) => {
    if (going.idleMs(nowMs) < GONE_MS) return false;
    going.giveWay();
    return true;
  });

  /** Bytes of texts that wait for their readers, at most ANSWERS_HELD_BYTES_MAX. */
  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many bytes the next page may have, of `asked`: some, whatever waits. */
  bytesMax(asked: number): number {
    return this.#held.share(asked, PIECE_BYTES);
  }

  /**
   * Reads so much for an answer, and makes a text of it, once there is room for that: many who wait for the same record are woken at once.
   * @throws {PortError} OVERLOADED where there is none within ANSWER_ROOM_WAIT_MS_MAX
   */
  async reading<T>(bytes: number, read: () => Promise<T>): Promise<T> {
    const untilMs = Date.now() + ANSWER_ROOM_WAIT_MS_MAX;
    while (!this.#hasRoom(bytes * READ_WEIGHT)) {
      if (Date.now() >= untilMs) throw noRoom();
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, ROOM_LOOK_MS);
      await promise;
    }
    const going = new Going();
    going.held = this.#held.hold(bytes * READ_WEIGHT, going);
    try {
      return await read();
    } finally {
      this.#letGo(going);
    }
  }

  /**
   * Counts the rows of an answer until the last of them are taken. No timer ends them where nobody does, as on a socket it would for each: who asks for the next ones
   * then is told.
   * @param lines a row each
   * @throws {PortError} OVERLOADED where there is no room for them
   */
  keep(lines: Uint8Array): UntakenRows {
    const going = new Going();
    if (lines.length > PIECE_BYTES) {
      if (!this.#hasRoom(lines.length)) throw noRoom();
      going.held = this.#held.hold(lines.length, going);
    }
    const rows = new Lines(lines);
    going.lines = rows;
    return {
      next: () => {
        if (going.isEnded) throw noRoom();
        const some = rows.next(PIECE_BYTES);
        going.movedMs = Date.now();
        if (rows.isOver) this.#letGo(going);
        return some;
      },
      letGo: () => {
        rows.drop();
        this.#letGo(going);
      },
    };
  }

  /** A text as an answer. @throws {PortError} OVERLOADED where there is no room for it */
  page(text: string, contentType: string): Response {
    const headers = { 'Content-Type': contentType };
    if (text.length <= SHORT_LENGTH) return new Response(text, { headers });
    const bytes = encodeUtf8(text);
    if (bytes.length <= PIECE_BYTES) return new Response(bytes, { headers });
    const going = new Going();
    this.#hold(going, bytes);
    return new Response(this.#stream(going, null), { headers });
  }

  /** A value as JSON. @throws as `page` */
  json(value: object): Response {
    return this.page(JSON.stringify(value), 'application/json');
  }

  /** Texts as the body of an answer. None is made before the one before it has been taken. */
  stream(parts: AnswerParts): ReadableStream<Uint8Array> {
    return this.#stream(new Going(), parts);
  }

  /** @param parts null: there is no more than what is held */
  #stream(going: Going, parts: AnswerParts | null): ReadableStream<Uint8Array> {
    let isOver = false;
    const end = async (): Promise<void> => {
      if (isOver) return;
      isOver = true;
      unwatch();
      this.#letGo(going);
      going.bytes = null;
      await parts?.onEnd();
      await parts?.texts.return?.();
    };
    const stalled = (controller: ReadableStreamDefaultController): Promise<void> => {
      log('warn', 'answer-unread');
      controller.error(new Error('nothing of this answer was read for too long'));
      return end();
    };
    let unwatch = (): void => undefined;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const timer = setInterval(() => {
            const isStalled = going.isEnded || going.idleMs(Date.now()) >= ANSWER_STALL_MS;
            if (isStalled) void stalled(controller);
          }, WATCH_MS);
          unwatch = () => clearInterval(timer);
        },
        // Asked for more only once what was given has been taken.
        pull: async (controller) => {
          going.isWaiting = false;
          if (going.isEnded) return stalled(controller);
          let last: string | null = null;
          try {
            while (going.bytes === null && last === null) {
              const next = await parts?.texts.next();
              // Meanwhile the reader may have gone, and takes nothing any more.
              if (isOver) return;
              if (typeof next?.value !== 'string') last = '';
              else if (next.value !== '') this.#hold(going, encodeUtf8(next.value));
            }
          } catch (thrown) {
            if (isOver) return;
            last = parts?.failure(thrown) ?? '';
          }
          if (last !== null) {
            if (last !== '') controller.enqueue(encodeUtf8(last));
            controller.close();
            return end();
          }
          if (going.bytes !== null) controller.enqueue(going.piece(going.bytes));
          if (going.bytes === null) this.#letGo(going);
          going.movedMs = Date.now();
          going.isWaiting = true;
        },
        cancel: end,
      },
      { highWaterMark: 0 },
    );
  }

  #hold(going: Going, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > PIECE_BYTES && !this.#hasRoom(bytes.length)) throw noRoom();
    going.hold(bytes);
    if (bytes.length <= PIECE_BYTES) return;
    going.held = this.#held.hold(bytes.length, going);
  }

  /** Has those give way that have been idle longest, as long as it takes; their own requests end them. */
  #hasRoom(bytes: number): boolean {
    if (!this.#held.hasRoom(bytes)) this.#held.forgetLost();
    const nowMs = Date.now();
    while (!this.#held.hasRoom(bytes)) {
      let idlest: Going | null = null;
      for (const going of this.#held.owners())
        if (going.idleMs(nowMs) > (idlest?.idleMs(nowMs) ?? IDLE_MS - 1)) idlest = going;
      if (idlest === null) return false;
      this.#letGo(idlest);
      idlest.giveWay();
    }
    return true;
  }

  #letGo(going: Going): void {
    if (going.held !== null) this.#held.letGo(going.held);
    going.held = null;
  }
}

function noRoom(): PortError {
  const message = 'too many answers wait for their readers; try again later';
  return new PortError('OVERLOADED', message);
}

/** Those of this isolate. */
export const answers = new Answers();
