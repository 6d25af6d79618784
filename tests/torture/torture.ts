// One torture run: a real workerd under load, killed at random moments, drained and checked; knows no command line.

import { seededRandom } from '../../runtime/memory/faults.ts';
import { fetchAll, type FetchedRecord, until } from '../support/edge-client.ts';
import { Workerd } from '../support/workerd.ts';
import { asked, askedAgain, posting } from './asking.ts';
import { Anomalies, type Anomaly } from './anomalies.ts';
import {
  changeName,
  checkCauses,
  checkChanges,
  checkLog,
  checkPolls,
  checkPulled,
  checkTable,
  keysOf,
} from './checker.ts';
import { Consumer, pullTable, type PulledTable, TableReader } from './consumer.ts';
import { PARTITIONS, Producer, TOPIC } from './load.ts';

export const ENTRY = 'tests/workers/torture/edge.ts';

export interface TortureOptions {
  /** The fault to be found (tests/workers/torture/mutants.ts); null: the edge as it is. */
  readonly mutant: string | null;
  readonly kills: number;
  /** Producers that send thousands of records at once, beside PRODUCERS that send few; none unless it is said. */
  readonly bulk?: number;
  /** How many records are acknowledged before most kills; one unless it is said. */
  readonly recordsALife?: number;
  readonly seed: number;
}

/** What a run found and what it went through. Plain JSON. */
export interface TortureReport {
  readonly mutant: string | null;
  readonly seed: number;
  readonly kills: number;
  /** Acknowledged, as all records in the end are. */
  readonly records: number;
  readonly batches: number;
  /** Batches that reused a sequence and were refused. */
  readonly forged: number;
  readonly polls: number;
  readonly pulls: number;
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
  readonly examples: readonly Anomaly[];
}

const PRODUCERS = 4;
const KILL_AFTER_MS_MIN = 150;
const KILL_AFTER_MS_MAX = 500;
/** This share of the kills does not wait until the server has acknowledged records: it may still be starting. */
const EARLY_KILLS = 0.2;
const LIFE_MS_MAX = 60_000;
const DRAIN_MS_MAX = 60_000;
/** A mutant that loses records never drains: it is found sooner. */
const MUTANT_DRAIN_MS_MAX = 8_000;
const STATEMENTS = `
  CREATE STREAM bets (id STRING KEY, grp STRING, amount BIGINT)
    WITH (KAFKA_TOPIC='${TOPIC}', PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON');
  CREATE TABLE totals AS SELECT grp, COUNT(*) AS n, SUM(amount) AS total FROM bets GROUP BY grp;`;
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);

/** Runs the load through `kills` kills and checks what is left. */
export async function torture({
  mutant,
  kills,
  bulk = 0,
  recordsALife = 1,
  seed,
}: TortureOptions): Promise<TortureReport> {
  const random = seededRandom(seed);
  const vars = { FAILPOINTS: '', ...(mutant === null ? {} : { MUTANT: mutant }) };
  await using edge = await Workerd.start(ENTRY, vars);
  await createStatements(edge);
  const producers = Array.from(
    { length: PRODUCERS + bulk },
    (_, i) => new Producer(edge, i, { random, isBulk: i >= PRODUCERS }),
  );
  const logs = partitions.map((at) => new Consumer(edge, TOPIC, at, (key) => key));
  const outputs = partitions.map((at) => new Consumer(edge, 'TOTALS', at, nameOfChange));
  const table = new TableReader(edge);
  const [stop, stopReading] = [new AbortController(), new AbortController()];
  const anomalies = new Anomalies();
  const load = Promise.allSettled(producers.map((producer) => producer.run(stop.signal)));
  const reading = Promise.allSettled(
    [...logs, ...outputs, table].map((reader) => reader.run(stopReading.signal)),
  );
  const output = new Output();
  let isLoadOver = false;
  void load.finally(() => {
    isLoadOver = true;
  });
  // A producer that is refused sends no more: then nothing is waited for.
  const acks = () =>
    isLoadOver ? Infinity : producers.reduce((sum, { ackedRecords }) => sum + ackedRecords, 0);
  const life = { recordsALife, acks, random };
  const restartMsMax = await kill(edge, kills, life, output, anomalies);
  stop.abort();
  for (const outcome of await load) {
    if (outcome.status === 'rejected') anomalies.add('refused', String(outcome.reason));
  }
  const drainFrom = performance.now();
  const drainMsMax = mutant === null ? DRAIN_MS_MAX : MUTANT_DRAIN_MS_MAX;
  await drained(edge, producers, drainMsMax, anomalies);
  const drainMs = performance.now() - drainFrom;
  stopReading.abort();
  for (const outcome of await reading) {
    if (outcome.status === 'rejected') anomalies.add('refused', String(outcome.reason));
  }
  const changes: PulledTable[number][] = [];
  for (const at of partitions) {
    const records = await fetchAll(edge, TOPIC, at, askedAgain);
    const keys = keysOf(records, anomalies);
    checkLog(
      keys,
      producers.filter(({ partition }) => partition === at),
      anomalies,
    );
    checkPolls(logs[at]?.polls ?? [], keys, anomalies);
    checkCauses(logs[at]?.polls ?? [], producers, anomalies);
    const made = await fetchAll(edge, 'TOTALS', at, askedAgain);
    checkPolls(outputs[at]?.polls ?? [], made.map(nameOfRecord), anomalies);
    // One by one: half a million are more than a call takes.
    for (const record of made) changes.push(changeOf(record));
  }
  checkChanges(changes, producers, anomalies);
  const names = new Set(changes.map((change) => changeName(...change)));
  checkPulled(table.answers, names, anomalies);
  checkTable(await until(() => pullTable(edge)), producers, anomalies);
  output.add(edge.output);
  const acked = producers.flatMap((producer) => producer.acked);
  return {
    mutant,
    seed,
    kills,
    records: producers.reduce((sum, { ackedRecords }) => sum + ackedRecords, 0),
    batches: acked.length,
    forged: producers.reduce((sum, { forged }) => sum + forged, 0),
    polls: [...logs, ...outputs].reduce((sum, { polls }) => sum + polls.length, 0),
    pulls: table.answers.length,
    retries: producers.reduce((sum, { retries }) => sum + retries, 0),
    clientRepeats: acked.filter(({ duplicate }) => duplicate).length,
    taskRepeats: output.count('REPEAT'),
    failpoints: output.points(),
    restartMsMax: Math.round(restartMsMax),
    drainMs: Math.round(drainMs),
    anomalies: anomalies.counts,
    examples: anomalies.examples,
  };
}

/** A statement whose answer was lost may have been done: the second try is then refused as a repeat. */
async function createStatements(edge: Workerd): Promise<void> {
  for (const ksql of STATEMENTS.split(';').filter((statement) => statement.trim() !== '')) {
    await until(async () => {
      const answer = await asked(edge, '/ksql', posting({ ksql: `${ksql};` }));
      return answer?.status === 200 || answer?.status === 409;
    });
  }
}

/** How long the server lives. */
interface Life {
  readonly recordsALife: number;
  /** Records that have been acknowledged so far; Infinity: there will be no more. */
  readonly acks: () => number;
  readonly random: () => number;
}

/** SIGKILL again and again; the longest time that a start took, in ms. */
async function kill(
  edge: Workerd,
  kills: number,
  { recordsALife, acks, random }: Life,
  output: Output,
  anomalies: Anomalies,
): Promise<number> {
  let restartMsMax = 0;
  for (let n = 0; n < kills; n++) {
    const before = acks();
    if (random() >= EARLY_KILLS) {
      try {
        await until(async () => acks() >= before + recordsALife, LIFE_MS_MAX, 5);
      } catch (thrown) {
        const what = `${acks() - before} of ${recordsALife} records were acknowledged`;
        anomalies.add('stuck', `${what}: ${String(thrown)}`);
      }
    }
    const afterMs = KILL_AFTER_MS_MIN + random() * (KILL_AFTER_MS_MAX - KILL_AFTER_MS_MIN);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await edge.kill();
    output.add(edge.output);
    const killedAt = performance.now();
    await edge.restart();
    restartMsMax = Math.max(restartMsMax, performance.now() - killedAt);
  }
  return restartMsMax;
}

/** Of a topic, where its partitions end. */
interface TopicBounds {
  readonly bounds: readonly { readonly highWatermark: number }[];
}

/** Waits until every record has come out at the other end, a task has ended for good, or too long. */
async function drained(
  edge: Workerd,
  producers: readonly Producer[],
  withinMs: number,
  anomalies: Anomalies,
): Promise<void> {
  const sent = producers.reduce((sum, producer) => sum + producer.sent, 0);
  let last = '';
  try {
    const outcome = await until(async () => {
      const topic = await asked(edge, '/topics/TOTALS');
      const { bounds = [] } = ((await topic?.json()) ?? {}) as Partial<TopicBounds>;
      const out = bounds.reduce((sum, { highWatermark }) => sum + highWatermark, 0);
      if (out >= sent) return 'drained';
      last = (await (await asked(edge, '/queries'))?.text()) ?? last;
      return last.includes('"state":"ERROR"') ? 'stopped' : null;
    }, withinMs);
    if (outcome === 'drained') return;
  } catch (thrown) {
    last = `${String(thrown)} ${last}`;
  }
  anomalies.add('stuck', last.slice(0, 2_000));
}

function changeOf({ key, value }: FetchedRecord): PulledTable[number] {
  const text = new TextDecoder();
  const { N, TOTAL } = JSON.parse(text.decode(value)) as { N: number; TOTAL: number };
  return [text.decode(key), N, TOTAL];
}

const nameOfRecord = (record: FetchedRecord): string => changeName(...changeOf(record));

function nameOfChange(key: string, value: string): string {
  const { N, TOTAL } = JSON.parse(value) as { N: number; TOTAL: number };
  return changeName(key, N, TOTAL);
}

/** What workerd wrote, over all its lives. */
class Output {
  readonly #lines: string[] = [];

  add(text: string): void {
    this.#lines.push(...text.split('\n').filter((line) => /REPEAT|FAILPOINT/.test(line)));
  }

  count(mark: string): number {
    return this.#lines.filter((line) => line.includes(mark)).length;
  }

  /** Deaths at failpoints, by name. */
  points(): Record<string, number> {
    const points = new Map<string, number>();
    for (const line of this.#lines) {
      const name = /FAILPOINT (.*)/.exec(line)?.[1];
      if (name !== undefined) points.set(name, (points.get(name) ?? 0) + 1);
    }
    return Object.fromEntries([...points].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
