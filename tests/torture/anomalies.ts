// The kinds of anomaly that a run may find, and a collector of them; the first fourteen are those of Jepsen's Kafka checker.

export type AnomalyKind =
  /** Acknowledged, and not where it was acknowledged, nor anywhere. */
  | 'lost-write'
  /** In the log, never polled, though the consumer read to the end. */
  | 'unseen'
  /** One record at two offsets. */
  | 'duplicate'
  /** Two records at one offset, as two reads saw it. */
  | 'inconsistent-offsets'
  /** A record was read that the server had refused. */
  | 'aborted-read'
  | 'poll-skip'
  | 'nonmonotonic-poll'
  | 'int-poll-skip'
  | 'int-nonmonotonic-poll'
  /** A later batch of a producer before an earlier one. */
  | 'nonmonotonic-send'
  /** Records of one batch in another order. */
  | 'int-nonmonotonic-send'
  /** Read before its commit: beyond the high watermark, or a table's row that no change made. */
  | 'precommitted-read'
  /** A batch with another's records in between: a cycle of writes. */
  | 'torn-batch'
  /** Read before it was sent: a cycle through a read. */
  | 'future-read'
  /** A table went back. */
  | 'nonmonotonic-read'
  /** A change counts what is no record, or a record twice or never. */
  | 'miscounted'
  | 'reordered'
  | 'table-differs'
  | 'stuck'
  | 'refused';

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly what: string;
}

const EXAMPLES_MAX = 5;

/** Gathers anomalies, so that a thousand of one kind do not hide the others. */
export class Anomalies {
  readonly #counts = new Map<AnomalyKind, number>();
  readonly examples: Anomaly[] = [];

  add(kind: AnomalyKind, what: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= EXAMPLES_MAX) this.examples.push({ kind, what });
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
