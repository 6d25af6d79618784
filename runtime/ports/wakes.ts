// Readers that wait for records of a partition, and how they are told; in memory only, knows no storage.

import { behindMicrotasks } from './behind-microtasks.ts';
import type { TopicPartition, Unsubscribe } from './log.ts';

/** Who waits, by partition. */
export class Wakes {
  readonly #waiting = new Map<string, Set<() => void>>();

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    const key = partitionKey(at);
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    waiting.add(wake);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  /** Tells those who wait, in a later turn: whoever appends is not done yet. */
  wake(at: TopicPartition): void {
    for (const wake of this.#waiting.get(partitionKey(at)) ?? []) behindMicrotasks(wake);
  }
}

/** One text for one partition: its number has no space in it. */
export function partitionKey(at: TopicPartition): string {
  return `${at.partition} ${at.topic}`;
}
