// Recounts everything from what producers say they sent: the log record by record, the changes of the table one by one, the table.

import type { FetchedRecord } from '../support/edge-client.ts';
import { type Producer, PRODUCER_RECORDS_MAX, recordOf } from './load.ts';

/** What was found wrong; each kind with examples, at most a few. */
export interface Anomaly {
  readonly kind:
    | 'lost'
    | 'duplicated'
    | 'reordered'
    | 'moved'
    | 'miscounted'
    | 'table differs'
    | 'stuck'
    | 'refused';
  readonly what: string;
}

const EXAMPLES_MAX = 5;

/** Gathers anomalies, so that a thousand of one kind do not hide the others. */
export class Anomalies {
  readonly #counts = new Map<Anomaly['kind'], number>();
  readonly examples: Anomaly[] = [];

  add(kind: Anomaly['kind'], what: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= EXAMPLES_MAX) this.examples.push({ kind, what });
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

function jsonOf(record: FetchedRecord): Readonly<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(record.value)) as Readonly<Record<string, unknown>>;
}

/** Every sent record stands in the log once, in its producer's order, and where the acknowledgement said. */
export function checkLog(
  partitions: readonly (readonly FetchedRecord[])[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  partitions.forEach((records, partition) => {
    const next = new Map<number, number>();
    for (const record of records) {
      const key = new TextDecoder().decode(record.key);
      const [number = -1, n = -1] = key.split('-').map(Number);
      const expected = next.get(number) ?? 0;
      const at = `${key} at ${partition}:${record.offset}`;
      if (n > expected) anomalies.add('lost', `${number}-${expected} .. ${n - 1} before ${at}`);
      if (n < expected) anomalies.add('duplicated', at);
      if (jsonOf(record)['AMOUNT'] !== recordOf(number, n).amount)
        anomalies.add('moved', `${at} has another value`);
      next.set(number, Math.max(expected, n + 1));
    }
    for (const producer of producers.filter((one) => one.partition === partition)) {
      const seen = next.get(producer.number) ?? 0;
      if (seen < producer.sent)
        anomalies.add('lost', `${producer.number}-${seen} and later were never appended`);
      for (const { from, base } of producer.acked) {
        if (base === null) continue;
        const record = records[base];
        const key = record === undefined ? 'nothing' : new TextDecoder().decode(record.key);
        if (key !== `${producer.number}-${from}`) {
          anomalies.add(
            'moved',
            `${producer.number}-${from} was acknowledged at ${base}, where ${key} stands`,
          );
        }
      }
    }
  });
}

/**
 * Every record changes its group once: the count goes up by one and the total by the record's own amount, which names the
 * record; records of one producer in their order.
 */
export function checkChanges(
  partitions: readonly (readonly FetchedRecord[])[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  const totals = new Map<string, { n: number; total: number }>();
  const counted = new Set<number>();
  const latest = new Map<string, number>();
  for (const record of partitions.flat()) {
    const group = new TextDecoder().decode(record.key);
    const { N, TOTAL } = jsonOf(record) as { N: number; TOTAL: number };
    const before = totals.get(group) ?? { n: 0, total: 0 };
    totals.set(group, { n: N, total: TOTAL });
    const what = `${group}: N ${before.n} to ${N}, TOTAL ${before.total} to ${TOTAL}`;
    if (N !== before.n + 1) {
      anomalies.add(N <= before.n ? 'duplicated' : 'lost', what);
      continue;
    }
    const amount = TOTAL - before.total;
    const number = Math.floor(amount / PRODUCER_RECORDS_MAX);
    const n = amount % PRODUCER_RECORDS_MAX;
    const sent = producers[number]?.sent ?? 0;
    if (n < 0 || n >= sent || recordOf(number, n).group !== group) {
      anomalies.add('miscounted', `${what}: no record has this amount`);
      continue;
    }
    if (counted.has(amount)) anomalies.add('duplicated', `${what}: counted before`);
    counted.add(amount);
    const order = `${number} ${group}`;
    if (n < (latest.get(order) ?? -1)) anomalies.add('reordered', what);
    latest.set(order, n);
  }
  const sent = producers.reduce((sum, producer) => sum + producer.sent, 0);
  if (counted.size < sent)
    anomalies.add('lost', `${sent - counted.size} of ${sent} records changed nothing`);
}

/** The table is the recount. */
export function checkTable(
  rows: readonly (readonly unknown[])[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  const expected = new Map<string, { n: number; total: number }>();
  for (const { number, sent } of producers) {
    for (let n = 0; n < sent; n++) {
      const { group, amount } = recordOf(number, n);
      const before = expected.get(group) ?? { n: 0, total: 0 };
      expected.set(group, { n: before.n + 1, total: before.total + amount });
    }
  }
  if (rows.length !== expected.size)
    anomalies.add('table differs', `${rows.length} rows, ${expected.size} groups`);
  for (const [group, n, total] of rows) {
    const wanted = expected.get(String(group));
    if (wanted?.n !== n || wanted?.total !== total) {
      anomalies.add(
        'table differs',
        `${String(group)}: ${String(n)}, ${String(total)}; recount ${wanted?.n}, ${wanted?.total}`,
      );
    }
  }
}
