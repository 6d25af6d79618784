// The page's half of the host `page`: an engine a case, over IndexedDB, called by name; knows no case.

import type { ProducedRecord } from '../../runtime/engine/insert.ts';
import type { QueryRows } from '../../runtime/engine/query-rows.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { type BrowserEngine, open as openEngine } from '../../runtime/browser/index.ts';
import { toWire, type WireError } from '../../runtime/ports/wire-error.ts';
import { elementTexts, headerText } from './elements.ts';
import type { TopicRecord } from './records.ts';

type Properties = Readonly<Record<string, string>>;

/** What a call gave, or what it threw. */
export type Told<T> = { readonly value: T } | { readonly error: WireError };

/** Rows that are under way from the Worker come within it, on a busy machine too. */
const QUIET_MS = 400;

const engines = new Map<string, BrowserEngine>();
/** By number of the question. */
const asked = new Map<number, { readonly rows: QueryRows; readonly engine: BrowserEngine }>();

async function told<T>(
  database: string,
  work: (engine: BrowserEngine) => Promise<T>,
): Promise<Told<T>> {
  try {
    const engine = engines.get(database);
    if (engine === undefined) throw new Error(`${database} is not open`);
    return { value: await work(engine) };
  } catch (thrown) {
    return { error: toWire(thrown) };
  }
}

/** Opens an empty database. */
export async function open(database: string): Promise<void> {
  const worker = (): Worker =>
    new Worker(new URL('./page-worker.ts', import.meta.url), { type: 'module' });
  engines.set(database, await openEngine({ database, worker }));
}

/** Closes the engine and throws its database away. */
export async function close(database: string): Promise<void> {
  await engines.get(database)?.close();
  engines.delete(database);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = indexedDB.deleteDatabase(database);
  request.addEventListener('success', () => resolve());
  request.addEventListener('error', () => reject(request.error ?? new Error('not deleted')));
  await promise;
}

/** @returns the answers as clients read them: JSON */
export const execute = (
  database: string,
  sql: string,
  properties: Properties,
): Promise<Told<readonly string[]>> =>
  told(database, async (engine) => {
    const entities = await engine.execute(sql, { properties });
    return entities.map((entity) => JSON.stringify(entity));
  });

export const produce = (
  database: string,
  topic: string,
  record: ProducedRecord,
): Promise<Told<unknown>> => told(database, (engine) => engine.produce(topic, [record]));

/** As `Tenant.settle`. */
export const settle = (database: string): Promise<Told<void>> =>
  told(database, (engine) => engine.idle());

/** As `Tenant.records`. */
export const records = (database: string, topic: string): Promise<Told<readonly TopicRecord[]>> =>
  told(database, async (engine) => {
    const found: TopicRecord[] = [];
    for (let partition = 0; ; partition++) {
      try {
        found.push(...(await engine.topicRecords(topic, { partition })));
      } catch (thrown) {
        // There are no more partitions, or there is no such topic.
        if (thrown instanceof PortError && thrown.code.startsWith('UNKNOWN_')) return found;
        throw thrown;
      }
    }
  });

/** @returns the number of the question, for `elements` */
export const ask = (database: string, sql: string, properties: Properties): Promise<Told<number>> =>
  told(database, async (engine) => {
    const rows = await engine.query(sql, { properties });
    const question = asked.size;
    asked.set(question, { rows, engine });
    return question;
  });

/** As `Asked.elements`, each as JSON. */
export const elements = (database: string, question: number): Promise<Told<readonly string[]>> =>
  told(database, async (engine) => {
    const rows = asked.get(question)?.rows;
    if (rows === undefined) throw new Error(`there is no question ${question}`);
    const texts = [headerText(rows)];
    let cameMs = performance.now();
    const read = async (): Promise<void> => {
      for await (const batch of rows.batches()) {
        cameMs = performance.now();
        texts.push(...elementTexts(batch));
      }
    };
    const quiet = async (): Promise<void> => {
      await engine.idle();
      cameMs = performance.now();
      while (performance.now() - cameMs < QUIET_MS) {
        await new Promise((resolve) => setTimeout(resolve, QUIET_MS / 4));
        // A Worker that stands still is quiet too.
        await engine.idle();
      }
    };
    const reading = read();
    if (rows.kind === 'push') {
      await Promise.race([reading, quiet()]);
      await rows.close();
    }
    await reading;
    return texts;
  });
