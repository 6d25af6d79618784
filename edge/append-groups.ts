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
  /** Requests that see to it that everybody has an answer in time, beside the one that makes the call. */
  watchers: number;
}

/** A timer costs a request about as much as its part of the call; that of one that goes meanwhile goes with it. */
const WATCHERS = 2;
/**
 * Rounds that a group grows in, and how many of them in a row bring nothing before it goes: what is on its way through a busy isolate comes in the
 * second, and a call that is not made is worth more than a turn.
 */
const GATHER_ROUNDS_MAX = 8;
const IDLE_ROUNDS = 2;

/**
 * A call costs much more than what it carries, where records come one by one. An append waits for a few rounds of the event loop and takes
 * along those to its partition that come in them: the busier the isolate, the more of them share a call, a transaction and all that follows.
 * Its request makes the call, since a call belongs to a request. Each is judged by itself, in the order in which they came, and has its own answer. Where appends come one by one, none
 * waits.
 */
export class AppendGroups {
  /** Those that still wait for others, by partition: each for a few rounds. */
  readonly #open = new Map<string, Group>();
  /** Calls under way, or about to be. */
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
    const group = hasRoom ? open : { appends: [], settle: [], bytes: 0, watchers: 0 };
    const { promise, resolve } = Promise.withResolvers<Wire<AppendResult>>();
    group.appends.push(append);
    group.settle.push(resolve);
    group.bytes += length;
    if (hasRoom) return unwrap(group.watchers < WATCHERS ? watched(group, promise) : promise);
    // Where nothing is under way, and nobody came along the last time, nobody is likely to.
    const isAlone = this.#underWay === 0 && !this.#isShared;
    if (!isAlone) this.#open.set(name, group);
    request.waitUntil(this.#call(name, group, send, isAlone ? null : request));
    return unwrap(promise);
  }

  /** Never rejects: what goes wrong is everybody's answer. */
  async #call(name: string, group: Group, send: Send, gathering: Request | null): Promise<void> {
    this.#underWay += 1;
    if (gathering !== null) await this.#gather(name, group, gathering);
    if (this.#open.get(name) === group) this.#open.delete(name);
    this.#isShared = group.appends.length > 1;
    await sendAll(group, send);
    this.#underWay -= 1;
  }

  /** One that is full has another behind it, which must not come first. */
  async #gather(name: string, group: Group, { arrived }: Request): Promise<void> {
    const { appends } = group;
    let idle = 0;
    for (let round = 0; round < GATHER_ROUNDS_MAX; round++) {
      const before = appends.length;
      await arrived();
      if (this.#open.get(name) !== group) return;
      idle = appends.length > before ? 0 : idle + 1;
      if (idle === IDLE_ROUNDS) return;
    }
  }
}

/** Never rejects. */
async function sendAll({ appends, settle }: Group, send: Send): Promise<void> {
  let answers: readonly Wire<AppendResult>[] = [];
  let error: WireError | null = null;
  try {
    answers = await send(appends);
  } catch (thrown) {
    error = toWire(thrown instanceof PortError ? thrown : noAnswer(thrown));
  }
  for (const [i, resolve] of settle.entries())
    resolve(answers[i] ?? { ok: false, error: error ?? toWire(noAnswer()) });
}

/**
 * One who waits for another request's call cannot know whether that request is still there: after a while it tells all who wait that there
 * is no answer.
 */
async function watched(
  group: Group,
  answer: Promise<Wire<AppendResult>>,
): Promise<Wire<AppendResult>> {
  group.watchers += 1;
  const timer = setTimeout(() => {
    const message = `no answer within ${APPEND_GROUP_WAIT_MS_MAX} ms`;
    const error = toWire(new PortError('UNAVAILABLE', message));
    for (const settle of group.settle.slice(1)) settle({ ok: false, error });
  }, APPEND_GROUP_WAIT_MS_MAX);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
