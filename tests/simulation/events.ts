// The application under simulation, its input from a seed, and a recount of everything it must give; knows no fault.

import { decodeBatch } from '../../runtime/data/codec.ts';
import { positionOf } from '../../runtime/data/batch.ts';
import { valueAt } from '../../runtime/data/column.ts';
import { parseRecordBatch } from '../../runtime/data/record.ts';
import type { ProducedRecord } from '../../runtime/engine/insert.ts';
import { seededRandom } from '../../runtime/memory/faults.ts';
import { readRecords } from '../../runtime/engine/records.ts';
import type { Log } from '../../runtime/ports/log.ts';
import type { Plan } from '../../runtime/plan/step.ts';

const WINDOW_MS = 10_000;
const GRACE_MS = 5_000;

export const statements = (partitions: number): string => `
  SET 'millrace.fuse' = 'never';
  CREATE STREAM events (id STRING KEY, g STRING, n BIGINT, ts BIGINT)
    WITH (KAFKA_TOPIC='events', PARTITIONS=${partitions}, VALUE_FORMAT='JSON', TIMESTAMP='ts');
  CREATE TABLE totals AS SELECT g, COUNT(*) AS c, SUM(n) AS s, MAX(n) AS m
    FROM events WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY g EMIT CHANGES;
  CREATE STREAM evens AS SELECT id, n FROM events WHERE n % 2 = 0;`;

/** One event as it was meant; `isBad` ones are written as damaged JSON. */
export interface SimulatedEvent {
  readonly id: string;
  readonly g: string;
  readonly n: number;
  readonly ts: number;
  readonly isBad: boolean;
}

/** Out of order by up to three windows, so that some are late; one in thirty is damaged. */
export function eventsOf(seed: number, count: number): readonly SimulatedEvent[] {
  const random = seededRandom(seed ^ 0x5eed);
  return Array.from({ length: count }, (_, n) => ({
    id: `id ${Math.floor(random() * 40)}`,
    g: `g${Math.floor(random() * 7)}`,
    n,
    ts: 1_000_000 + n * 400 - Math.floor(random() * random() * 30_000),
    isBad: random() < 1 / 30,
  }));
}

interface TextRecord extends ProducedRecord {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

export function recordOf({ id, g, n, ts, isBad }: SimulatedEvent): TextRecord {
  const value = JSON.stringify({ G: g, N: n, TS: ts });
  return { key: id, value: isBad ? value.slice(0, -1) : value, timestamp: ts };
}

/** A change of the table as its topic holds it. */
export interface Change {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
}

export interface Recount {
  readonly changes: readonly Change[];
  /** The last value of each group and window. */
  readonly table: ReadonlyMap<string, string>;
  /** `n` of the late events, in order. */
  readonly late: readonly number[];
}

/** What the table's task must make of the events in this order. */
export function recount(events: readonly Pick<SimulatedEvent, 'g' | 'n' | 'ts'>[]): Recount {
  const groups = new Map<string, { c: number; s: number; m: number; rowtime: number }>();
  const changes: Change[] = [];
  const late: number[] = [];
  let now = -Infinity;
  for (const { g, n, ts } of events) {
    now = Math.max(now, ts);
    const start = ts - (ts % WINDOW_MS);
    if (start + WINDOW_MS <= now - GRACE_MS) {
      late.push(n);
      continue;
    }
    const key = `${g} ${start}`;
    const group = groups.get(key) ?? { c: 0, s: 0, m: n, rowtime: ts };
    groups.set(key, group);
    group.c += 1;
    group.s += n;
    group.m = Math.max(group.m, n);
    group.rowtime = Math.max(group.rowtime, ts);
    const value = `{"C":${group.c},"S":${group.s},"M":${group.m}}`;
    changes.push({ key, value, timestamp: group.rowtime });
  }
  const table = new Map(changes.map(({ key, value }) => [key, value]));
  return { changes, table, late };
}

/** The changes in one partition of the table's topic, keys as `g windowStart`. */
export async function changesIn(log: Log, partition: number): Promise<Change[]> {
  const records = await readRecords(log, 'TOTALS', { partition });
  return records.map(({ key, value, timestamp }) => {
    const bytes = key ?? new Uint8Array();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const g = new TextDecoder().decode(bytes.subarray(0, -8));
    const start = Number(view.getBigInt64(bytes.length - 8));
    return {
      key: `${g} ${start}`,
      value: new TextDecoder().decode(value ?? new Uint8Array()),
      timestamp,
    };
  });
}

/** The rows of one partition of the internal topic, in its order. */
export async function repartitioned(
  log: Log,
  plan: Plan,
  partition: number,
): Promise<{ g: string; n: number; ts: number }[]> {
  const source = plan.subtopologies[1]?.steps[0];
  if (source?.step !== 'internalSource') throw new Error('the plan has two sub-topologies');
  const at = { topic: source.topic, partition };
  const rows: { g: string; n: number; ts: number }[] = [];
  const { batches } = await log.read(at, 0, Number.MAX_SAFE_INTEGER);
  for (const { bytes } of batches) {
    const batch = decodeBatch(source.schema, parseRecordBatch(bytes).encoded ?? new Uint8Array());
    const [g, n] = batch.columns;
    if (g === undefined || n === undefined) throw new Error('the rows are a group and a number');
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      rows.push({
        g: valueAt(g, position) as string,
        n: Number(valueAt(n, position)),
        ts: batch.rowtime[position] ?? 0,
      });
    }
  }
  return rows;
}
