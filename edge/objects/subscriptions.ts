// The subscriptions of one hibernating socket, kept in its attachment, and the frames that they are sent; knows no call and no partition.

import { ByteWriter } from '../../runtime/base/bytes.ts';
import { SOCKET_FRAME_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { FetchedBatch } from '../../runtime/ports/log.ts';
import { Asks } from '../ask.ts';
import { pieceOf } from './batch-pieces.ts';

/** One subscription as it stands; its socket's attachment says the same before the object can hibernate. */
export interface Subscription {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly incarnation: string;
  /** Offset of the next record to send. */
  next: number;
  /** Bytes that may still be sent. */
  credit: number;
  /** Since when records wait for credit (ms since the Unix epoch); null while none do. */
  waitingMs: number | null;
  /** Bytes of the next frame at most, batches being cut where they are longer; null: whole batches, as many as a frame may have. */
  frame: number | null;
}

/** One that is being made, and what its client has said of it meanwhile. */
export interface ComingSubscription {
  credit: number;
  isWanted: boolean;
}

/** What survives hibernation: plain data, arrays for its size. */
interface Attachment {
  readonly tenant: string;
  readonly relay: string;
  readonly subscriptions: readonly (readonly [
    id: number,
    topic: string,
    partition: number,
    incarnation: string,
    next: number,
    credit: number,
    waitingMs: number | null,
    /** Not in what an older version has written. */
    frame?: number | null,
  ])[];
  /** Not in what an older version has written. */
  readonly heardMs?: number;
}

/** A socket with its subscriptions. One a WebSocket and instance of the object. */
export class LiveSocket {
  readonly ws: WebSocket;
  readonly tenant: string;
  /** Name of the object that holds it. */
  readonly relay: string;
  readonly subscriptions = new Map<number, Subscription>();
  /** By id. */
  readonly coming = new Map<number, ComingSubscription>();
  /** When it was accepted, or its last message came (ms since the Unix epoch): of one without subscriptions its attachment says so, too. */
  heardMs: number;
  /** Bytes that may lie unread. */
  unreadBytes = 0;
  readonly asks = new Asks();
  /** Since when nothing is sent until that is answered; null: it does not wait. */
  heldMs: number | null = null;
  /** There is no room for what it is to be sent. */
  waitsForRoom = false;
  /** Messages in the second that began at `secondMs`. */
  #messages = 0;
  #secondMs = 0;

  private constructor(ws: WebSocket, tenant: string, relay: string, heardMs: number) {
    this.ws = ws;
    this.tenant = tenant;
    this.relay = relay;
    this.heardMs = heardMs;
  }

  /** A socket that has just been accepted. */
  static accepted(ws: WebSocket, tenant: string, relay: string): LiveSocket {
    const socket = new LiveSocket(ws, tenant, relay, Date.now());
    socket.keep();
    return socket;
  }

  /** A socket that has outlived the instance that accepted it. */
  static restored(ws: WebSocket): LiveSocket {
    const { tenant, relay, subscriptions, heardMs = 0 } = ws.deserializeAttachment() as Attachment;
    const socket = new LiveSocket(ws, tenant, relay, heardMs);
    for (const [
      id,
      topic,
      partition,
      incarnation,
      next,
      credit,
      waitingMs,
      frame = null,
    ] of subscriptions) {
      const place = { id, topic, partition, incarnation, next };
      socket.subscriptions.set(id, { ...place, credit, waitingMs, frame });
    }
    return socket;
  }

  /** Writes the attachment: to be called after every change, before the object can hibernate. */
  keep(): void {
    const attachment: Attachment = {
      tenant: this.tenant,
      relay: this.relay,
      subscriptions: Array.from(this.subscriptions.values(), (s) => [
        s.id,
        s.topic,
        s.partition,
        s.incarnation,
        s.next,
        s.credit,
        s.waitingMs,
        s.frame,
      ]),
      heardMs: this.heardMs,
    };
    this.ws.serializeAttachment(attachment);
  }

  /** Counts a message. @returns how many there were in this second */
  count(nowMs: number): number {
    this.heardMs = nowMs;
    if (nowMs - this.#secondMs >= 1_000) {
      this.#secondMs = nowMs;
      this.#messages = 0;
    }
    this.#messages += 1;
    return this.#messages;
  }

  /**
   * true: it has asked for nothing since then.
   * @param pinged when it last asked whether the object lives, which wakes nobody
   */
  isIdle(sinceMs: number, pinged: Date | null): boolean {
    if (this.subscriptions.size + this.coming.size > 0) return false;
    return Math.max(this.heardMs, pinged?.getTime() ?? 0) <= sinceMs;
  }

  /** Nothing is sent for now. */
  get isHeld(): boolean {
    return this.heldMs !== null || this.waitsForRoom;
  }

  /** What is sent to a socket that has gone is lost with it: its client goes on elsewhere from what it has. */
  send(message: object | Uint8Array | string): void {
    const isRaw = message instanceof Uint8Array || typeof message === 'string';
    try {
      this.ws.send(isRaw ? message : JSON.stringify(message));
    } catch (thrown) {
      // Asked only now: to ask costs as much as a tenth of a frame that is sent, and nearly all are open.
      if (this.ws.readyState === WebSocket.OPEN) throw thrown;
    }
  }
}

/** Bytes before the batches of a frame, and before each batch. */
const FRAME_HEADER_BYTES = 16;
const BATCH_HEADER_BYTES = 16;

/** A frame and the offset behind it. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** What one reading of a partition gives to many subscriptions: frames are made once for all that stand at the same offset. */
export class Frames {
  readonly #batches: readonly FetchedBatch[];
  readonly #highWatermark: number;
  readonly #made = new Map<string, Uint8Array>();
  readonly #pieces = new Map<string, FetchedBatch>();
  /** The last frame of whole batches that no credit has cut short, with where it begins: what nearly all are sent. */
  #last: (Frame & { readonly next: number }) | null = null;

  constructor(batches: readonly FetchedBatch[], highWatermark: number) {
    this.#batches = batches;
    this.#highWatermark = highWatermark;
  }

  /** Offset behind the last record. */
  get end(): number {
    const last = this.#batches.at(-1);
    return last === undefined ? -1 : last.base + last.count;
  }

  /**
   * The frame of whole batches from the one that holds the next record, within the credit; where frames are still small, of a part of that
   * batch if it is longer, or if its beginning has been sent.
   * @returns its bytes, to be sent before the next call, and the offset behind it; or how many bytes it would take at least; null
   *   when there is nothing at `next`
   */
  frame(subscription: Subscription): Frame | { readonly needed: number } | null {
    const { id, next, credit, frame } = subscription;
    const last = this.#last;
    if (last !== null && last.next === next && frame === null && credit >= last.bytes.length) {
      addressed(last.bytes, id);
      return last;
    }
    return this.#frame(subscription);
  }

  #frame({ id, next, credit, frame }: Subscription): Frame | { readonly needed: number } | null {
    const from = this.#batches.findIndex(({ base, count }) => base + count > next);
    const first = this.#batches[from];
    if (first === undefined) return null;
    const room = Math.min(credit, frame ?? SOCKET_FRAME_BYTES_MAX);
    const firstLength = FRAME_HEADER_BYTES + BATCH_HEADER_BYTES + first.bytes.length;
    if (frame !== null && (firstLength > room || first.base < next))
      return this.#part(id, first, next, room, credit);
    let length = FRAME_HEADER_BYTES;
    let to = from;
    for (let i = from; i < this.#batches.length; i++) {
      const taken = BATCH_HEADER_BYTES + (this.#batches[i]?.bytes.length ?? 0);
      if (length + taken > room) break;
      length += taken;
      to = i + 1;
    }
    const last = this.#batches[to - 1];
    if (to === from || last === undefined) {
      return { needed: firstLength };
    }
    const bytes = this.#bytes(`${from} ${to}`, this.#batches.slice(from, to), length);
    const made = { next, bytes: addressed(bytes, id), end: last.base + last.count };
    if (room === SOCKET_FRAME_BYTES_MAX || to === this.#batches.length) this.#last = made;
    return made;
  }

  #part(
    id: number,
    batch: FetchedBatch,
    next: number,
    room: number,
    credit: number,
  ): Frame | { readonly needed: number } {
    const key = `${next} of ${room}`;
    const around = FRAME_HEADER_BYTES + BATCH_HEADER_BYTES;
    let piece = this.#pieces.get(key);
    if (piece === undefined)
      this.#pieces.set(key, (piece = pieceOf(batch, next, Math.max(0, room - around))));
    const length = around + piece.bytes.length;
    if (length > credit) return { needed: length };
    const bytes = this.#bytes(key, [piece], length);
    return { bytes: addressed(bytes, id), end: piece.base + piece.count };
  }

  #bytes(key: string, batches: readonly FetchedBatch[], length: number): Uint8Array {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    const writer = new ByteWriter(length);
    writer.u32(0);
    writer.u32(batches.length);
    writer.f64(this.#highWatermark);
    for (const { base, count, bytes } of batches) {
      writer.f64(base);
      writer.u32(count);
      writer.u32(bytes.length);
      writer.bytes(bytes);
    }
    const bytes = writer.finish();
    this.#made.set(key, bytes);
    return bytes;
  }
}

/** The one frame for many, with the number of one of them. */
function addressed(bytes: Uint8Array, id: number): Uint8Array {
  bytes[0] = id;
  bytes[1] = id >>> 8;
  bytes[2] = id >>> 16;
  bytes[3] = id >>> 24;
  return bytes;
}
