// Sends the appends of an outbox: per destination in order, until acknowledged, each once; knows no operator and no state.

import { assert } from '../base/assert.ts';
import { isPassing, PortError } from '../base/errors.ts';
import type { OutboxAppend } from '../ports/store.ts';
import type { Delivery, Destination, OutboxOptions } from './outbox.ts';

/** The first wait after a passing fault, and the longest. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 30_000;
/** Appends that are sent before their acknowledgement is written down, in one call where the log has calls; what is not is sent again, and is a repeat. */
const UNACKNOWLEDGED_APPENDS_MAX = 32;
/** Bytes that one call carries, unless one append by itself is more. */
const CALL_BYTES_MAX = 1_048_576;

/** Called when appends have left, with how many and how long they were. */
type Left = (appends: number, bytes: number) => void;

/**
 * Sends to every destination until its queue is empty or it has to wait.
 * @throws {PortError} FENCED when a newer epoch owns the task; whatever else a destination refuses for good
 */
export async function deliverAll(
  options: OutboxOptions,
  destinations: readonly Destination[],
  left: Left,
): Promise<Delivery> {
  const waiting = destinations.filter((destination) => destination.queue.length > 0);
  // All are let finish before a refusal is raised, so that nothing runs on behind the owner's back.
  const outcomes = await Promise.allSettled(
    waiting.map((destination) => new Sender(options, destination, left).send()),
  );
  let retryAtMs: number | null = null;
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  for (const { queue, retryAtMs: at } of waiting) {
    if (queue.length > 0) retryAtMs = Math.min(retryAtMs ?? at, at);
  }
  return { retryAtMs };
}

/** Sends to one destination. */
class Sender {
  readonly #options: OutboxOptions;
  readonly #destination: Destination;
  readonly #left: Left;

  constructor(options: OutboxOptions, destination: Destination, left: Left) {
    this.#options = options;
    this.#destination = destination;
    this.#left = left;
  }

  async send(): Promise<void> {
    const destination = this.#destination;
    const { clock } = this.#options;
    let unacknowledged = 0;
    let next = 0;
    // Never longer than the longest wait, though the clock was set back.
    destination.retryAtMs = Math.min(destination.retryAtMs, clock.now() + RETRY_LAST_MS);
    while (destination.queue.length > 0 && destination.retryAtMs <= clock.now()) {
      const group = this.#group();
      const left = await this.#deliver(group);
      const last = group[left - 1];
      if (last === undefined) continue;
      unacknowledged += left;
      next = last.sequence + last.count;
      if (unacknowledged < UNACKNOWLEDGED_APPENDS_MAX) continue;
      await this.#acknowledge(next);
      unacknowledged = 0;
    }
    if (unacknowledged > 0) await this.#acknowledge(next);
  }

  /** The oldest appends, as many as go in one call. */
  #group(): readonly OutboxAppend[] {
    const { queue } = this.#destination;
    if (this.#options.log.appendAll === undefined) return queue.slice(0, 1);
    let count = 0;
    let bytes = 0;
    for (const append of queue) {
      bytes += append.bytes.length;
      if (count === UNACKNOWLEDGED_APPENDS_MAX || (count > 0 && bytes > CALL_BYTES_MAX)) break;
      count += 1;
    }
    return queue.slice(0, count);
  }

  /** @returns how many of them have left the queue: those before the first that was refused */
  async #deliver(group: readonly OutboxAppend[]): Promise<number> {
    const refusals = await this.#refusals(group);
    let left = 0;
    for (const append of group) {
      const refusal = refusals[left] ?? null;
      if (refusal !== null) return this.#refused(append, refusal) ? left + 1 : left;
      this.#destination.failures = 0;
      this.#leave(append);
      left += 1;
    }
    return left;
  }

  /** What each was refused for; null: it is there. */
  async #refusals(group: readonly OutboxAppend[]): Promise<readonly (Error | null)[]> {
    const { log, producer } = this.#options;
    const { to } = this.#destination;
    const stamped = group.map(({ bytes, sequence }) => ({
      bytes,
      stamp: { ...producer, sequence },
    }));
    const [first] = stamped;
    try {
      if (log.appendAll !== undefined && stamped.length > 1)
        return await log.appendAll(to, stamped);
      if (first !== undefined) await log.append(to, first.bytes, first.stamp);
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      return [thrown];
    }
    return [];
  }

  /** @returns true when the append has left the queue all the same */
  #refused(append: OutboxAppend, refusal: Error): boolean {
    if (isPassing(refusal)) {
      this.#postpone();
      return false;
    }
    if (!(refusal instanceof PortError) || refusal.code !== 'OUT_OF_ORDER_SEQUENCE') throw refusal;
    return this.#align(append, refusal);
  }

  /**
   * The destination expects another sequence. It may hold more than this state remembers, after a restore: the records it holds leave the
   * queue. It must not expect less than the oldest append: what was acknowledged is gone from here.
   * @returns true when the append has left the queue
   */
  #align(append: OutboxAppend, refusal: PortError): boolean {
    const { to, queue } = this.#destination;
    const expected = Number(refusal.detail['expected']);
    const skip = expected - append.sequence;
    if (!(skip > 0)) {
      throw new PortError(
        'OUT_OF_ORDER_SEQUENCE',
        `'${to.topic}' ${to.partition} has lost records of this task: it expects sequence ${expected}, and the oldest kept is ${append.sequence}`,
        { ...refusal.detail, ...to },
        { cause: refusal },
      );
    }
    if (skip >= append.count) {
      this.#leave(append);
      return true;
    }
    const bytes = this.#options.cut(append.to, append.bytes, skip);
    queue[0] = { to: append.to, sequence: expected, count: append.count - skip, bytes };
    this.#left(0, append.bytes.length - bytes.length);
    return false;
  }

  #leave(append: OutboxAppend): void {
    const oldest = this.#destination.queue.shift();
    assert(oldest === append, 'an outbox sends its oldest append first');
    this.#left(1, append.bytes.length);
  }

  /** An acknowledgement that fails costs a repeat, no more. */
  async #acknowledge(next: number): Promise<void> {
    const { store, task } = this.#options;
    try {
      await store.acknowledge(task, this.#destination.to, next);
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
    }
  }

  #postpone(): void {
    const waitMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.#destination.failures++);
    this.#destination.retryAtMs = this.#options.clock.now() + waitMs;
  }
}
