// Recounts everything from what producers say they sent: the log, what consumers saw of it, the changes of the table, the table.

import type { FetchedRecord } from '../support/edge-client.ts';
import type { Anomalies } from './anomalies.ts';
import type { Poll, PulledTable } from './consumer.ts';
import { keyOf, type Producer, PRODUCER_RECORDS_MAX, recordOf } from './load.ts';

const text = new TextDecoder();

/** The name of a change of the table. */
export const changeName = (group: string, n: number, total: number): string =>
  `${group} ${n} ${total}`;

/** The keys of a partition of the log, by offset; each value is checked to be its record's. */
export function keysOf(records: readonly FetchedRecord[], anomalies: Anomalies): string[] {
  return records.map(({ key, value, offset }) => {
    const name = text.decode(key);
    const [number = -1, n = -1] = name.split('-').map(Number);
    const { AMOUNT } = JSON.parse(text.decode(value)) as { AMOUNT: number };
    if (!Number.isNaN(n) && AMOUNT !== recordOf(number, n).amount) {
      anomalies.add('inconsistent-offsets', `${name} at ${offset} has another record's value`);
    }
    return name;
  });
}

/** Every acknowledged record stands in its partition once, where the acknowledgement said, in its producer's order. */
export function checkLog(
  keys: readonly string[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  const offsets = new Map<string, number>();
  keys.forEach((key, offset) => {
    if (key.endsWith('x')) anomalies.add('aborted-read', `${key} at ${offset} had been refused`);
    else if (offsets.has(key))
      anomalies.add('duplicate', `${key} at ${offsets.get(key)} and ${offset}`);
    else offsets.set(key, offset);
  });
  for (const { number, acked } of producers) {
    let end = -1;
    for (const { from, count, base } of acked) {
      const first = offsets.get(keyOf(number, from)) ?? -1;
      if (base !== null && first !== base) {
        const what = `${keyOf(number, from)} was acknowledged at ${base}, where ${keys[base] ?? 'nothing'} stands`;
        anomalies.add(first < 0 ? 'lost-write' : 'inconsistent-offsets', what);
      }
      if (first >= 0 && first <= end)
        anomalies.add('nonmonotonic-send', `${keyOf(number, from)} at ${first}, after ${end}`);
      let last = first - 1;
      for (let i = 0; i < count; i++) {
        const key = keyOf(number, from + i);
        const offset = offsets.get(key);
        if (offset === undefined) anomalies.add('lost-write', `${key} was acknowledged`);
        else if (offset <= last) anomalies.add('int-nonmonotonic-send', `${key} at ${offset}`);
        else if (offset > last + 1)
          anomalies.add('torn-batch', `${key} at ${offset}, after ${last}`);
        last = Math.max(last, offset ?? last + 1);
      }
      end = Math.max(end, last);
    }
  }
}

/** What a consumer saw is the log, in its order, without a gap, and nothing that was not committed. */
export function checkPolls(
  polls: readonly Poll[],
  names: readonly string[],
  anomalies: Anomalies,
): void {
  let next = 0;
  for (const { frames, highWatermark } of polls) {
    frames.forEach(({ base, names: seen }, i) => {
      const within = i > 0;
      const what = `offset ${base} after ${next - 1}`;
      if (base > next) anomalies.add(within ? 'int-poll-skip' : 'poll-skip', what);
      if (base < next) anomalies.add(within ? 'int-nonmonotonic-poll' : 'nonmonotonic-poll', what);
      next = base + seen.length;
      if (next > highWatermark)
        anomalies.add('precommitted-read', `offset ${next - 1}, high watermark ${highWatermark}`);
      seen.forEach((name, j) => {
        const now = names[base + j];
        if (now === undefined) anomalies.add('precommitted-read', `${name} is not there any more`);
        else if (now !== name)
          anomalies.add('inconsistent-offsets', `offset ${base + j} was ${name} and is ${now}`);
      });
    });
  }
  if (next < names.length)
    anomalies.add('unseen', `${names.length - next} records from offset ${next} on`);
}

/** Nothing is read before it was sent. */
export function checkCauses(
  polls: readonly Poll[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  const sentMs = new Map<string, number>();
  for (const { number, acked } of producers) {
    for (const batch of acked) sentMs.set(keyOf(number, batch.from), batch.sentMs);
  }
  for (const { frames, atMs } of polls) {
    for (const name of frames.flatMap(({ names }) => names)) {
      if (atMs < (sentMs.get(name) ?? -Infinity)) anomalies.add('future-read', name);
    }
  }
}

/**
 * Every record changes its group once: the count goes up by one and the total by the record's own amount, which names the
 * record; records of one producer in their order.
 */
export function checkChanges(
  changes: readonly (readonly [group: string, n: number, total: number])[],
  producers: readonly Producer[],
  anomalies: Anomalies,
): void {
  const totals = new Map<string, { n: number; total: number }>();
  const counted = new Set<number>();
  const latest = new Map<string, number>();
  for (const [group, n, total] of changes) {
    const before = totals.get(group) ?? { n: 0, total: 0 };
    totals.set(group, { n, total });
    const what = `${group}: N ${before.n} to ${n}, TOTAL ${before.total} to ${total}`;
    const amount = total - before.total;
    const number = Math.floor(amount / PRODUCER_RECORDS_MAX);
    const index = amount % PRODUCER_RECORDS_MAX;
    const isRecord =
      index >= 0 &&
      index < (producers[number]?.sent ?? 0) &&
      recordOf(number, index).group === group;
    if (n !== before.n + 1 || !isRecord || counted.has(amount)) {
      anomalies.add('miscounted', what);
      continue;
    }
    counted.add(amount);
    const order = `${number} ${group}`;
    if (index < (latest.get(order) ?? -1)) anomalies.add('reordered', what);
    latest.set(order, index);
  }
  const sent = producers.reduce((sum, producer) => sum + producer.sent, 0);
  if (counted.size < sent)
    anomalies.add('miscounted', `${sent - counted.size} of ${sent} records changed nothing`);
}

/** The table as it was pulled on the way never went back, and showed nothing that no change made. */
export function checkPulled(
  answers: readonly PulledTable[],
  changes: ReadonlySet<string>,
  anomalies: Anomalies,
): void {
  const latest = new Map<string, number>();
  for (const [group, n, total] of answers.flat()) {
    if (!changes.has(changeName(group, n, total)))
      anomalies.add('precommitted-read', `the table said ${changeName(group, n, total)}`);
    const before = latest.get(group) ?? 0;
    if (n < before) anomalies.add('nonmonotonic-read', `${group} went from ${before} to ${n}`);
    latest.set(group, n);
  }
}

/** The table is the recount. */
export function checkTable(
  rows: PulledTable,
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
    anomalies.add('table-differs', `${rows.length} rows, ${expected.size} groups`);
  for (const [group, n, total] of rows) {
    const wanted = expected.get(group);
    if (wanted?.n !== n || wanted.total !== total) {
      const recount = `recount ${wanted?.n}, ${wanted?.total}`;
      anomalies.add('table-differs', `${changeName(group, n, total)}; ${recount}`);
    }
  }
}
