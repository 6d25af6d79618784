// Sends the appends of an outbox: per destination in order, until acknowledged, each once; knows no operator and no state.

import { InvariantError, isPassing, PortError } from '../base/errors.ts';
import type { OutboxAppend } from '../ports/store.ts';
import type { Delivery, Destination, OutboxOptions } from './outbox.ts';

/** The first wait after a passing fault, and the longest. */
const RETRY_FIRST_MS = 50;
const RETRY_LAST_MS = 30_000;
/** Appends that are sent before their acknowledgement is written down; what is not is sent again, and is a repeat. */
const UNACKNOWLEDGED_APPENDS_MAX = 32;

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
    const { queue } = destination;
    let unacknowledged = 0;
    for (;;) {
      const append = queue[0];
      if (append === undefined) break;
      if (destination.retryAtMs > this.#options.clock.now()) return;
      if (!(await this.#append(append))) continue;
      unacknowledged += 1;
      if (unacknowledged >= UNACKNOWLEDGED_APPENDS_MAX || queue.length === 0) {
        await this.#acknowledge(append.sequence + append.count);
        unacknowledged = 0;
      }
    }
  }

  /** @returns true when the append has left the queue */
  async #append(append: OutboxAppend): Promise<boolean> {
    const { log, producer } = this.#options;
    const { sequence, bytes } = append;
    try {
      await log.append(this.#destination.to, bytes, { ...producer, sequence });
    } catch (thrown) {
      if (!(thrown instanceof PortError)) throw thrown;
      if (isPassing(thrown) || thrown.code === 'STORAGE_FULL') {
        this.#postpone();
        return false;
      }
      if (thrown.code !== 'OUT_OF_ORDER_SEQUENCE') throw thrown;
      return this.#align(append, thrown);
    }
    this.#destination.failures = 0;
    this.#leave(append);
    return true;
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
        refusal.detail,
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
    if (this.#destination.queue.shift() !== append)
      throw new InvariantError('an outbox sends its oldest append first');
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
    const destination = this.#destination;
    const waitMs = Math.min(
      RETRY_LAST_MS,
      RETRY_FIRST_MS * 2 ** Math.min(destination.failures, 16),
    );
    destination.failures += 1;
    destination.retryAtMs = this.#options.clock.now() + waitMs;
  }
}
