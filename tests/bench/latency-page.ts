// The page's half of suite `latency`: records go to the engine's Worker one at a time, and each comes back as a change; keeps times alone.

import { type BrowserEngine, open } from '../../runtime/browser/index.ts';

const STATEMENTS = `
  CREATE STREAM events (device STRING KEY, sent DOUBLE)
    WITH (KAFKA_TOPIC='events', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE by_device AS SELECT device, COUNT(*) AS n, LATEST_BY_OFFSET(sent) AS sent
    FROM events WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY device EMIT CHANGES;`;
const DEVICES = 100;

interface Subject {
  readonly engine: BrowserEngine;
  /** Times from a record's `produce` to its change on the page, in ms, since they were last taken. */
  lateMs: number[];
  /** Called with each change. */
  onChange: (() => void) | null;
}

const subjects = new Map<string, Subject>();

/** Opens an engine over that storage, and a push query that keeps the time of each change. */
export async function prepare(storage: 'memory' | 'indexeddb'): Promise<void> {
  const engine = await open({ storage, database: `latency-${crypto.randomUUID()}` });
  await engine.execute(STATEMENTS);
  const changes = await engine.query('SELECT sent FROM by_device EMIT CHANGES;');
  const subject: Subject = { engine, lateMs: [], onChange: null };
  subjects.set(storage, subject);
  void (async () => {
    for await (const { SENT } of changes) {
      subject.lateMs.push(performance.now() - Number(SENT));
      subject.onChange?.();
    }
  })();
}

function subjectOf(storage: string): Subject {
  const subject = subjects.get(storage);
  if (subject === undefined) throw new Error('prepare comes first');
  return subject;
}

function send({ engine }: Subject, n: number): Promise<unknown> {
  const value = JSON.stringify({ sent: performance.now() });
  return engine.produce('events', [{ key: `device ${n % DEVICES}`, value }]);
}

/** A record, its change, the next record. @returns ms of each, in the order they came */
export async function oneByOne(storage: string, count: number): Promise<readonly number[]> {
  const subject = subjectOf(storage);
  subject.lateMs = [];
  for (let n = 0; n < count; n++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    subject.onChange = resolve;
    void send(subject, n);
    await promise;
  }
  subject.onChange = null;
  return subject.lateMs;
}

/** How often the page looks which records are due. It sleeps meanwhile: spinning it would take one of two cores from the engine. */
const TICK_MS = 0.25;

/** Records one at a time at a steady rate, whatever comes back. @returns ms of each */
export async function paced(
  storage: string,
  perSecond: number,
  count: number,
): Promise<readonly number[]> {
  const subject = subjectOf(storage);
  subject.lateMs = [];
  const all = Promise.withResolvers<void>();
  subject.onChange = () => {
    if (subject.lateMs.length === count) all.resolve();
  };
  /** At the first tick: what would have come while the clock was fetched must not come at once. */
  let begun: number | null = null;
  let n = 0;
  const ticks = new Worker(new URL('ticks-worker.ts', import.meta.url), { type: 'module' });
  ticks.addEventListener('message', () => {
    const now = performance.now();
    begun ??= now;
    const due = Math.min(count, Math.floor(((now - begun) * perSecond) / 1000));
    for (; n < due; n++) void send(subject, n);
  });
  // The list argument is what tells a Worker's message from a window's.
  ticks.postMessage(TICK_MS, []);
  await all.promise;
  ticks.terminate();
  subject.onChange = null;
  return subject.lateMs;
}
