// Appends of several requests of one isolate to one partition, joined into one call to its object; knows no HTTP and no record.

import { PortError } from '../runtime/base/errors.ts';
import {
  APPEND_GROUP_APPENDS_MAX,
  APPEND_GROUP_BYTES_MAX,
  APPEND_GROUP_WAIT_MS_MAX,
} from '../runtime/base/limits.ts';
import type { AppendResult } from '../runtime/ports/log.ts';
import type { Append } from './objects/append-queue.ts';
import { noAnswer, toWire, unwrap, type Wire, type WireError } from './wire.ts';

/** Sends appends in one call. @returns an answer for each */
type Send = (appends: readonly Append[]) => Promise<readonly Wire<AppendResult>[]>;

/** What holds for one request. */
export interface Request {
  /** Keeps the request's context alive for others who wait for it. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Resolves once the requests that have arrived by now have been looked at. */
  readonly arrived: () => Promise<void>;
}

interface Group {
  readonly appends: Append[];
  readonly settle: ((answer: Wire<AppendResult>) => void)[];
  bytes: number;
}

/**
 * A call costs much more than what it carries, where records come one by one. An append waits for a round of the event loop and takes along
 * those to its partition that have come by then; its request makes the call, since a call belongs to a request. Each is judged by itself, in
 * the order in which they came, and has its own answer. Where appends come one by one, none waits.
 */
export class AppendGroups {
  /** Those that still wait for others, by partition: each for one round. */
  readonly #open = new Map<string, Group>();
  /** Calls under way. */
  #underWay = 0;
  /** The last call that was made was of several. */
  #isShared = false;

  /**
   * @param name tells partitions apart
   * @throws {PortError} what the append is refused for; UNAVAILABLE when there is no answer
   */
  append(name: string, append: Append, send: Send, request: Request): Promise<AppendResult> {
    const open = this.#open.get(name);
    const { length } = append.bytes;
    const hasRoom =
      open !== undefined &&
      open.appends.length < APPEND_GROUP_APPENDS_MAX &&
      open.bytes + length <= APPEND_GROUP_BYTES_MAX;
    const group = hasRoom ? open : { appends: [], settle: [], bytes: 0 };
    const { promise, resolve } = Promise.withResolvers<Wire<AppendResult>>();
    group.appends.push(append);
    group.settle.push(resolve);
    group.bytes += length;
    if (hasRoom) return unwrap(this.#withinLimit(promise, name, group));
    // Where nothing is under way, and nobody came along the last time, nobody is likely to.
    const isAlone = this.#underWay === 0 && !this.#isShared;
    if (!isAlone) this.#open.set(name, group);
    request.waitUntil(this.#call(name, group, send, isAlone ? null : request.arrived));
    return unwrap(promise);
  }

  /** Never rejects: what goes wrong is everybody's answer. */
  async #call(
    name: string,
    group: Group,
    send: Send,
    arrived: (() => Promise<void>) | null,
  ): Promise<void> {
    let answers: readonly Wire<AppendResult>[] = [];
    let error: WireError | null = null;
    this.#underWay += 1;
    try {
      if (arrived !== null) await arrived();
      if (this.#open.get(name) === group) this.#open.delete(name);
      this.#isShared = group.appends.length > 1;
      answers = await send(group.appends);
    } catch (thrown) {
      error = toWire(thrown instanceof PortError ? thrown : noAnswer(thrown));
    } finally {
      this.#underWay -= 1;
    }
    for (const [i, settle] of group.settle.entries())
      settle(answers[i] ?? { ok: false, error: error ?? toWire(noAnswer()) });
  }

  /** One who waits for another request's call cannot know whether that request is still there: who has waited in vain lets nobody else join. */
  async #withinLimit(
    answer: Promise<Wire<AppendResult>>,
    name: string,
    group: Group,
  ): Promise<Wire<AppendResult>> {
    const { promise, resolve } = Promise.withResolvers<Wire<AppendResult>>();
    const timer = setTimeout(() => {
      if (this.#open.get(name) === group) this.#open.delete(name);
      const message = `no answer within ${APPEND_GROUP_WAIT_MS_MAX} ms`;
      resolve({ ok: false, error: toWire(new PortError('UNAVAILABLE', message)) });
    }, APPEND_GROUP_WAIT_MS_MAX);
    try {
      return await Promise.race([answer, promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
