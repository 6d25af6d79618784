// One torture run: a real workerd under load, killed at random moments, drained and checked; knows no command line.

import { fetchAll, send, until } from '../support/edge-client.ts';
import { Workerd } from '../support/workerd.ts';
import { Anomalies, checkChanges, checkLog, checkTable } from './checker.ts';
import { PARTITIONS, Producer, TOPIC } from './load.ts';

export interface TortureOptions {
  /** The Worker to run, from tests/workers/torture. */
  readonly entry: string;
  readonly kills: number;
  readonly seed: number;
}

/** What a run found and what it went through. Plain JSON. */
export interface TortureReport {
  readonly entry: string;
  readonly seed: number;
  readonly kills: number;
  readonly records: number;
  readonly batches: number;
  /** Requests that were sent again because no answer came. */
  readonly retries: number;
  /** Of those, repeats that a partition told the producer of. */
  readonly clientRepeats: number;
  /** Appends of tasks that a partition dropped because it had them. */
  readonly taskRepeats: number;
  /** Times that an object died at a failpoint, by its name. */
  readonly failpoints: Readonly<Record<string, number>>;
  readonly restartMsMax: number;
  readonly drainMs: number;
  readonly anomalies: Readonly<Record<string, number>>;
  readonly examples: readonly { readonly kind: string; readonly what: string }[];
}

const PRODUCERS = 4;
const KILL_AFTER_MS_MIN = 150;
const KILL_AFTER_MS_MAX = 500;
const DRAIN_MS_MAX = 30_000;
const STATEMENTS = `
  CREATE STREAM bets (id STRING KEY, grp STRING, amount BIGINT)
    WITH (KAFKA_TOPIC='${TOPIC}', PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON');
  CREATE TABLE totals AS SELECT grp, COUNT(*) AS n, SUM(amount) AS total FROM bets GROUP BY grp;`;

/** Runs the load through `kills` kills and checks what is left. */
export async function torture({ entry, kills, seed }: TortureOptions): Promise<TortureReport> {
  const random = randomFrom(seed);
  await using edge = await Workerd.start(entry);
  const created = await send(edge, 'POST', '/ksql', { ksql: STATEMENTS });
  if (created.status !== 200) throw new Error(created.text);
  const producers = Array.from({ length: PRODUCERS }, (_, i) => new Producer(edge, i, random));
  const output = new Output();
  const stop = new AbortController();
  const anomalies = new Anomalies();
  const load = Promise.allSettled(producers.map((producer) => producer.run(stop.signal)));
  let restartMsMax = 0;
  for (let kill = 0; kill < kills; kill++) {
    const afterMs = KILL_AFTER_MS_MIN + random() * (KILL_AFTER_MS_MAX - KILL_AFTER_MS_MIN);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await edge.kill();
    output.add(edge.output);
    const killedAt = performance.now();
    await edge.restart();
    restartMsMax = Math.max(restartMsMax, performance.now() - killedAt);
  }
  stop.abort();
  for (const outcome of await load) {
    if (outcome.status === 'rejected') anomalies.add('refused', String(outcome.reason));
  }
  const drainFrom = performance.now();
  await drained(edge, producers, anomalies);
  const drainMs = performance.now() - drainFrom;
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const log = await Promise.all(partitions.map((partition) => fetchAll(edge, TOPIC, partition)));
  const changes = await Promise.all(
    partitions.map((partition) => fetchAll(edge, 'TOTALS', partition)),
  );
  checkLog(log, producers, anomalies);
  checkChanges(changes, producers, anomalies);
  checkTable(await tableRows(edge), producers, anomalies);
  output.add(edge.output);
  const acked = producers.flatMap((producer) => producer.acked);
  return {
    entry,
    seed,
    kills,
    records: producers.reduce((sum, { sent }) => sum + sent, 0),
    batches: acked.length,
    retries: producers.reduce((sum, { retries }) => sum + retries, 0),
    clientRepeats: acked.filter(({ duplicate }) => duplicate).length,
    taskRepeats: output.count('REPEAT'),
    failpoints: {
      acknowledge: output.count('FAILPOINT acknowledge'),
      position: output.count('FAILPOINT position'),
    },
    restartMsMax: Math.round(restartMsMax),
    drainMs: Math.round(drainMs),
    anomalies: anomalies.counts,
    examples: anomalies.examples,
  };
}

/** Waits until every record has come out at the other end, a task has ended for good, or too long. */
async function drained(
  edge: Workerd,
  producers: readonly Producer[],
  anomalies: Anomalies,
): Promise<void> {
  const sent = producers.reduce((sum, producer) => sum + producer.sent, 0);
  try {
    const outcome = await until(async () => {
      const { body } = await send(edge, 'GET', '/topics/TOTALS');
      const { bounds } = body as { bounds?: { highWatermark: number }[] };
      const out = (bounds ?? []).reduce((sum, { highWatermark }) => sum + highWatermark, 0);
      if (out >= sent) return 'drained';
      return (await send(edge, 'GET', '/queries')).text.includes('"state":"ERROR"')
        ? 'stopped'
        : null;
    }, DRAIN_MS_MAX);
    if (outcome === 'drained') return;
  } catch {
    // It takes too long: what the tasks say of themselves is told below, as for one that has stopped.
  }
  const { text } = await send(edge, 'GET', '/queries');
  anomalies.add('stuck', text.slice(0, 2000));
}

async function tableRows(edge: Workerd): Promise<readonly (readonly unknown[])[]> {
  const { body } = await send(edge, 'POST', '/query', {
    ksql: 'SELECT grp, n, total FROM totals;',
  });
  if (!Array.isArray(body)) return [];
  return (body as { row?: { columns: unknown[] } }[]).flatMap(({ row }) =>
    row === undefined ? [] : [row.columns],
  );
}

/** Counts lines of what workerd wrote, over all its lives. */
class Output {
  readonly #lines: string[] = [];

  add(text: string): void {
    this.#lines.push(...text.split('\n'));
  }

  count(mark: string): number {
    return this.#lines.filter((line) => line.includes(mark)).length;
  }
}

/** mulberry32: a small generator whose whole state is its seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
