// Suite `usage`: what of Cloudflare's bill a thousand records make, produced, processed and read; the prices stand in docs/edge-costs.md.

import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { Workerd } from '../../support/workerd.ts';
import type { CaseResult, SuiteResult } from '../run.ts';
import { Load } from './load.ts';
import { JSON_TYPE } from './log-loads.ts';
import { requestBytes } from './raw-http.ts';
import { RawSocket } from './raw-socket.ts';
import { figure } from './rounds.ts';

const GROUPS = 10_000;
const BATCH_TYPE = { 'Content-Type': 'application/vnd.millrace.batch' };
const CREDIT_BYTES = 4_194_304;
const SETTLE_MS = 300;
const FILL_MS_MAX = 60_000;

interface Used {
  readonly twentieths: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly activeMs: number;
}

interface Answer {
  readonly requests: number;
  readonly objects: Readonly<Record<string, Used>>;
}

const KINDS = ['requests', 'rowsRead', 'rowsWritten', 'activeMs'] as const;
type Sums = Record<(typeof KINDS)[number], number>;

class Meter {
  readonly load: Load;

  constructor(load: Load) {
    this.load = load;
  }

  async used(): Promise<Answer> {
    // What goes on behind an answer belongs to what was asked for.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const answer = await this.load.one(requestBytes('GET', '/bench/used'), 200);
    return JSON.parse(answer.toString()) as Answer;
  }

  /** What `work` makes of the objects whose names begin so, and of the Worker, for each thousand of `records`. */
  async per(
    name: string,
    records: number,
    prefixes: readonly string[],
    work: () => Promise<void>,
  ): Promise<CaseResult[]> {
    const before = await this.used();
    await work();
    const after = await this.used();
    const thousands = records / 1_000;
    const sums: Sums = { requests: 0, rowsRead: 0, rowsWritten: 0, activeMs: 0 };
    for (const [object, now] of Object.entries(after.objects)) {
      if (!prefixes.some((prefix) => object.startsWith(`t:default:${prefix}`))) continue;
      const then = before.objects[object];
      sums.requests += (now.twentieths - (then?.twentieths ?? 0)) / 20;
      sums.rowsRead += now.rowsRead - (then?.rowsRead ?? 0);
      sums.rowsWritten += now.rowsWritten - (then?.rowsWritten ?? 0);
      sums.activeMs += now.activeMs - (then?.activeMs ?? 0);
    }
    // The second question of the two is no work.
    const requests = after.requests - before.requests;
    return [
      figure(`${name}: requests of the Worker`, 'a 1,000 records', requests / thousands),
      figure(`${name}: requests of objects`, 'a 1,000 records', sums.requests / thousands),
      figure(`${name}: rows written`, 'a 1,000 records', sums.rowsWritten / thousands),
      figure(`${name}: rows read`, 'a 1,000 records', sums.rowsRead / thousands),
      figure(`${name}: objects active`, 'ms a 1,000 records', sums.activeMs / thousands),
    ];
  }

  async ksql(ksql: string): Promise<void> {
    await this.load.one(requestBytes('POST', '/ksql', JSON.stringify({ ksql }), JSON_TYPE), 200);
  }

  async filled(topic: string, records: number): Promise<void> {
    const end = performance.now() + FILL_MS_MAX;
    for (;;) {
      const answer = await this.load.one(requestBytes('GET', `/topics/${topic}`), 200);
      const { bounds } = JSON.parse(answer.toString()) as { bounds: { highWatermark: number }[] };
      if (bounds.reduce((sum, { highWatermark }) => sum + highWatermark, 0) >= records) return;
      if (performance.now() > end) throw new Error(`${topic} does not fill`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Values of 100 bytes of JSON under one of GROUPS keys. */
function batch(from: number, count: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  const utf8 = new TextEncoder();
  for (let i = from; i < from + count; i++) {
    const value = JSON.stringify({ N: i, PAD: 'x'.repeat(80) });
    builder.append(utf8.encode(`g${(i * 7919) % GROUPS}`), utf8.encode(value), i, []);
  }
  return builder.finish() ?? new Uint8Array(0);
}

export async function usageSuite(): Promise<SuiteResult> {
  await using edge = await Workerd.start('tests/workers/bench/billed.ts');
  const port = Number(new URL(edge.url).port);
  const load = await Load.open(port, 4);
  const meter = new Meter(load);
  const cases: CaseResult[] = [];
  const produce = async (topic: string, records: number, each: number): Promise<void> => {
    const path = `/topics/${topic}/partitions/0/batch`;
    for (let from = 0; from < records; from += each)
      await load.one(requestBytes('POST', path, batch(from, each), BATCH_TYPE), 200);
  };
  const topic = (name: string): Promise<Buffer> =>
    load.one(requestBytes('POST', '/topics', JSON.stringify({ name }), JSON_TYPE), 201);
  for (const [each, records] of [
    [1_000, 100_000],
    [50, 20_000],
    [1, 1_000],
  ] as const) {
    const name = `produced_${each}`;
    await topic(name);
    await produce(name, each, each);
    const work = (): Promise<void> => produce(name, records, each);
    cases.push(...(await meter.per(`produced, ${each} a request`, records, ['partition:'], work)));
  }
  for (const [each, records] of [
    [1_000, 100_000],
    [50, 20_000],
  ] as const) {
    const name = `counted_${each}`;
    await meter.ksql(
      `CREATE STREAM ${name} (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');
       CREATE TABLE ${name}_t AS SELECT k, COUNT(*) AS c FROM ${name} WINDOW TUMBLING (SIZE 1 DAY) GROUP BY k;`,
    );
    const out = `${name}_T`.toUpperCase();
    await produce(name, each, each);
    await meter.filled(out, each);
    const of = ['processor:', `partition:${out}`];
    const work = async (): Promise<void> => {
      await produce(name, records, each);
      await meter.filled(out, each + records);
    };
    const of1000 = await meter.per(`counted as it comes, ${each} a request`, records, of, work);
    // The requests of the Worker are those that produce, and that look whether it is done.
    cases.push(...of1000.slice(1));
  }
  const [pages, read] = [20, 100_000];
  const work = async (): Promise<void> => {
    for (let page = 0; page < pages; page++) {
      const path = `/topics/produced_1000/partitions/0/records?offset=${page * (read / pages)}`;
      const headers = { Accept: 'application/vnd.millrace.batches' };
      await load.one(requestBytes('GET', path, null, headers), 200);
    }
  };
  cases.push(...(await meter.per('read, pages of 5,000', read, ['partition:'], work)));
  cases.push(...(await live(meter, port, produce, topic)));
  load.close();
  return { suite: 'usage', cases, ratios: {} };
}

/** One socket that is sent what comes, fifty records at a time: what the relay makes, and the hints to it. */
async function live(
  meter: Meter,
  port: number,
  produce: (topic: string, records: number, each: number) => Promise<void>,
  topic: (name: string) => Promise<unknown>,
): Promise<CaseResult[]> {
  const [records, each] = [5_000, 50];
  await topic('live');
  const socket = await RawSocket.open(port, '/socket');
  const subscribed = new Promise<void>((resolve) => {
    socket.onText = () => resolve();
  });
  let frames = 0;
  socket.onBinary = () => {
    frames += 1;
  };
  const place = { topic: 'live', partition: 0, offset: 'latest' };
  socket.send({ op: 'subscribe', id: 1, ...place, credit: CREDIT_BYTES });
  await subscribed;
  const made = await meter.per(`sent to a socket, ${each} at a time`, records, ['relay:'], () =>
    produce('live', records, each),
  );
  if (frames === 0) throw new Error('nothing came');
  socket.close();
  return made.slice(1);
}
