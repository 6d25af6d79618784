// Queries on the edge: from produce to a push query's row, how much one task takes in, and what its commits write; knows no object.

import { request } from 'node:http';
import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import type { Workerd } from '../../support/workerd.ts';
import type { CaseResult } from '../run.ts';
import { Load, quantile } from './load.ts';
import { requestBytes } from './raw-http.ts';
import { figure, type Rounds } from './rounds.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const BATCH_TYPE = { 'Content-Type': 'application/vnd.millrace.batch' };
const BATCH_RECORDS = 1_000;
const GROUPS = 10_000;
/** Records that each backlog holds, over all its partitions. */
const BACKLOG_RECORDS = 400_000;
const PARTITIONS = 4;
/** As many as a browser opens to one host. */
const CONNECTIONS = 6;
/** End to end: 5,000 records a second. */
const PACE_RECORDS = 50;
const PACE_EVERY_MS = 10;
const PACED_BATCHES = 300;
/** The first second is not counted: code is compiled and objects begin in it. */
const WARMUP_BATCHES = 100;
const DRAIN_MS_MAX = 120_000;

/** Records of JSON, padded to about 100 bytes. Each of GROUPS groups is in one of the partitions. */
function backlogBatch(from: number, partition: number, partitions: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  const utf8 = new TextEncoder();
  for (let i = from; i < from + BATCH_RECORDS; i++) {
    const group = `g${(i % (GROUPS / partitions)) * partitions + partition}`;
    const value = JSON.stringify({ G: group, N: i, PAD: 'x'.repeat(60) });
    builder.append(utf8.encode(group), utf8.encode(value), i, []);
  }
  const batch = builder.finish();
  if (batch === null) throw new Error('a batch holds its records');
  return batch;
}

class Sql {
  readonly load: Load;

  constructor(load: Load) {
    this.load = load;
  }

  async run(ksql: string): Promise<void> {
    await this.load.one(requestBytes('POST', '/ksql', JSON.stringify({ ksql }), JSON_TYPE), 200);
  }

  async json(path: string): Promise<unknown> {
    return JSON.parse((await this.load.one(requestBytes('GET', path), 200)).toString());
  }

  /** Rows of a pull query. */
  async rows(ksql: string): Promise<readonly (readonly unknown[])[]> {
    const body = requestBytes('POST', '/query', JSON.stringify({ ksql }), JSON_TYPE);
    const elements = JSON.parse((await this.load.one(body, 200)).toString()) as {
      row?: { columns: unknown[] };
    }[];
    return elements.flatMap(({ row }) => (row === undefined ? [] : [row.columns]));
  }

  /** Waits until a topic has so many records. */
  async filled(topic: string, records: number): Promise<void> {
    const end = performance.now() + DRAIN_MS_MAX;
    for (;;) {
      const { bounds } = (await this.json(`/topics/${topic}`)) as {
        bounds: { highWatermark: number }[];
      };
      if (bounds.reduce((sum, { highWatermark }) => sum + highWatermark, 0) >= records) return;
      if (performance.now() > end)
        throw new Error(`${topic} does not fill: ${JSON.stringify(bounds)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** @param edge runs tests/workers/bench/edge.ts */
export async function sqlCases(edge: Workerd): Promise<Rounds> {
  const load = await Load.open(Number(new URL(edge.url).port), CONNECTIONS);
  const sql = new Sql(load);
  const one = await sustained(sql, 'one', 1);
  const four = await sustained(sql, 'four', PARTITIONS);
  const rates = { one: one.perSecond / 1_000, four: four.perSecond / 1_000 };
  const results: CaseResult[] = [
    figure('tumbling COUNT over JSON, 1 partition', 'k records/s', rates.one),
    figure(`tumbling COUNT over JSON, ${PARTITIONS} partitions`, 'k records/s', rates.four),
    figure('rows written per 1,000 records, produced in one batch', 'rows', one.producedRows),
    figure(
      `rows written per 1,000 records, by a processor, ${GROUPS} groups`,
      'rows',
      one.processedRows,
    ),
  ];
  const lateMs = await endToEnd(sql, edge);
  results.push(
    figure('produce to push query, 5 k records/s: p50', 'ms', quantile(lateMs, 0.5)),
    figure('produce to push query, 5 k records/s: p99', 'ms', quantile(lateMs, 0.99)),
  );
  load.close();
  const ratio = Number((rates.four / rates.one).toPrecision(4));
  return { results, ratios: [[`tumbling COUNT: ${PARTITIONS} partitions/1`, ratio]] };
}

interface Sustained {
  readonly perSecond: number;
  /** Rows per 1,000 records that the topic's partitions, and the tasks, have written. */
  readonly producedRows: number;
  readonly processedRows: number;
}

/** Fills a topic, then has a query count it from the beginning; every record must be counted. */
async function sustained(sql: Sql, name: string, partitions: number): Promise<Sustained> {
  await sql.run(
    `CREATE STREAM ${name} (k STRING KEY, g STRING, n BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, VALUE_FORMAT='JSON');`,
  );
  const counts = async (): Promise<Record<string, number>> =>
    (await sql.json('/bench/counts')) as Record<string, number>;
  const written = (before: Record<string, number>, after: Record<string, number>, of: string) =>
    ((after[of] ?? 0) - (before[of] ?? 0)) / (BACKLOG_RECORDS / 1_000);
  const begun = await counts();
  for (let from = 0; from < BACKLOG_RECORDS; from += BATCH_RECORDS) {
    const partition = (from / BATCH_RECORDS) % partitions;
    const path = `/topics/${name}/partitions/${partition}/batch`;
    await sql.load.one(
      requestBytes('POST', path, backlogBatch(from, partition, partitions), BATCH_TYPE),
      200,
    );
  }
  const produced = await counts();
  const start = performance.now();
  await sql.run(
    `CREATE TABLE ${name}_t AS SELECT k, COUNT(*) AS c FROM ${name} WINDOW TUMBLING (SIZE 1 DAY) GROUP BY k;`,
  );
  await sql.filled(`${name}_T`.toUpperCase(), BACKLOG_RECORDS);
  const seconds = (performance.now() - start) / 1_000;
  const processed = await counts();
  let counted = 0;
  for (const [count] of await sql.rows(`SELECT c FROM ${name}_t;`)) counted += Number(count);
  if (counted !== BACKLOG_RECORDS)
    throw new Error(`${counted} of ${BACKLOG_RECORDS} records were counted`);
  return {
    perSecond: BACKLOG_RECORDS / seconds,
    producedRows: written(begun, produced, 'Partition'),
    processedRows: written(produced, processed, 'Processor'),
  };
}

/** Records carry when they were sent; each row of the push query tells the latest of its group. Batches of the warm-up do not count. */
async function endToEnd(sql: Sql, edge: Workerd): Promise<number[]> {
  await sql.run(
    `CREATE STREAM paced (k STRING KEY, sent BIGINT) WITH (KAFKA_TOPIC='paced', PARTITIONS=1, VALUE_FORMAT='JSON');
     CREATE TABLE paced_t AS SELECT k, COUNT(*) AS n, MAX(sent) AS sent FROM paced WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k;`,
  );
  const lateMs: number[] = [];
  const came = { rows: 0 };
  let countedFromUs = Infinity;
  const clockUs = (): number => Math.round(performance.now() * 1_000);
  const push = request(`${edge.url}/query-stream`, { method: 'POST', headers: JSON_TYPE });
  push.end(JSON.stringify({ sql: 'SELECT sent FROM paced_t EMIT CHANGES;' }));
  let rest = '';
  const opened = new Promise<void>((resolve) => {
    push.on('response', (response) => {
      resolve();
      response.on('data', (part: Buffer) => {
        const lines = (rest + part.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const sent = Number(/^,?\[(\d+)\],?$/.exec(line)?.[1]);
          if (Number.isNaN(sent)) continue;
          came.rows += 1;
          if (sent >= countedFromUs) lateMs.push((clockUs() - sent) / 1_000);
        }
      });
    });
  });
  await opened;
  const start = performance.now();
  for (let batch = 0; batch < PACED_BATCHES; batch++) {
    if (batch === WARMUP_BATCHES) countedFromUs = clockUs();
    const now = Date.now();
    const records = Array.from({ length: PACE_RECORDS }, (_, i) => {
      return { key: `k${i}`, value: { SENT: clockUs() }, timestamp: now };
    });
    void sql.load.one(
      requestBytes('POST', '/topics/paced/records', JSON.stringify({ records }), JSON_TYPE),
      200,
    );
    const nextMs = start + (batch + 1) * PACE_EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
  }
  const end = performance.now() + DRAIN_MS_MAX;
  while (came.rows < PACED_BATCHES * PACE_RECORDS) {
    if (performance.now() > end) throw new Error(`${came.rows} rows have come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  push.destroy();
  return lateMs;
}
