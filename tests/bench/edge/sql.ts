// Queries on the edge: from produce to a push query's row, how much one task takes in, and what its commits write; knows no object.

import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import type { Workerd } from '../../support/workerd.ts';
import type { CaseResult } from '../run.ts';
import { Load, quantile } from './load.ts';
import { PacedLoad } from './paced.ts';
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
/** End to end. The first second is not counted: code is compiled and objects begin in it. */
const PACED_BATCHES = 200;
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
  const paced = await PacedLoad.open(load, edge.url, edge.pid);
  await paced.run(WARMUP_BATCHES);
  const { lateMs, ackMs, batchMs } = await paced.run(PACED_BATCHES);
  paced.close();
  const name = 'produce to push query, 5 k records/s';
  results.push(
    figure(`${name}: p50`, 'ms', quantile(lateMs, 0.5)),
    figure(`${name}: p99`, 'ms', quantile(lateMs, 0.99)),
    figure(`${name}: acknowledged, p50`, 'ms', quantile(ackMs, 0.5)),
    figure(`${name}: the server's time of a batch of 50`, 'ms', batchMs),
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
