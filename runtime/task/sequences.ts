// Counts the records that a task appends, by destination, so that none is appended twice; knows no outbox and no store.

import type { TopicPartition } from '../ports/log.ts';
import type { OutboxAppend } from '../ports/store.ts';
import { partitionKey } from '../ports/wakes.ts';
import type { Outgoing } from './sink.ts';

export class Sequences {
  /** Of the next record, by destination. */
  readonly #next = new Map<string, number>();

  /** @param committed of the next records */
  constructor(committed: readonly { readonly to: TopicPartition; readonly next: number }[]) {
    for (const { to, next } of committed) this.#next.set(partitionKey(to), next);
  }

  /** What is to be appended with its sequences, which are taken then. */
  give(outgoing: readonly Outgoing[]): OutboxAppend[] {
    return outgoing.map((one) => {
      const { to, count, handed } = one;
      const key = partitionKey(to);
      const sequence = this.#next.get(key) ?? 0;
      this.#next.set(key, sequence + count);
      const append = { to, sequence, count };
      return handed?.within(append) ?? { ...append, bytes: one.bytes };
    });
  }
}
