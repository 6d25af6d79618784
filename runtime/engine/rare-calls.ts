// What few programs call of an engine: rows and batches by the name of their source, totals and topics; knows no statement.

import { existing } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import { PartMissing } from '../base/part.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Source } from '../catalog/source.ts';
import type { Batch } from '../data/batch.ts';
import { FORMATS } from '../formats/formats.ts';
import type { Log } from '../ports/log.ts';
import { withParts } from '../task/with-parts.ts';
import type { EngineStats, InsertOptions, InsertRow } from './engine.ts';
import type { EngineCore } from './engine-core.ts';
import type { ProducedAt, ProducedRecord } from './insert.ts';
import { appendBatch } from './insert-batch.ts';
import { checkWritable, recordsOf, rowReader } from './insert-rows.ts';
import { POOL } from './own-parts.ts';
import type { Queries } from './queries.ts';
import { statsOf, unlessGone } from './query-work.ts';

export { printTopic } from './print-topic.ts';
export { readRecords } from './records.ts';

/** Ends with the last call of an engine that waits for code, or behind one that does. */
const waiting = new WeakMap<EngineCore, Promise<void>>();

/** What `make` gives: at once, where nobody waits for code. */
function inTurn<T>(core: EngineCore, make: () => T): T | Promise<T> {
  const before = waiting.get(core);
  if (before === undefined) {
    try {
      return make();
    } catch (thrown) {
      if (!(thrown instanceof PartMissing)) throw thrown;
    }
  }
  const made = Promise.resolve(before).then(() => withParts(make));
  const end = (): void => void (waiting.get(core) === ended && waiting.delete(core));
  const ended = made.then(end, end);
  waiting.set(core, ended);
  return made;
}

/** As `Engine.insert`. Calls append in their order, though one may have to wait for code that the next ones do not need. */
export async function insertRows(
  core: EngineCore,
  source: string,
  given: InsertRow | readonly InsertRow[],
  options: InsertOptions,
): Promise<ProducedAt | readonly ProducedAt[]> {
  const rows: readonly InsertRow[] = isMany(given) ? given : [given];
  const records = (): { readonly topic: string; readonly records: readonly ProducedRecord[] } => {
    const to = writable(core.made.statements.catalog, source);
    const read = rowReader(to);
    const values = rows.map((row, index) => read(row, isMany(given) ? `row ${index}: ` : ''));
    const made = recordsOf(to, values, FORMATS).map(({ key, value }) => ({
      ...options,
      key: options.key === undefined ? key : options.key,
      value,
    }));
    return { topic: to.topic, records: made };
  };
  const { topic, records: ready } = await inTurn(core, records);
  const places = await core.produce(topic, ready);
  return isMany(given) ? places : existing(places[0], 'place of the record');
}

function isMany(given: InsertRow | readonly InsertRow[]): given is readonly InsertRow[] {
  return Array.isArray(given);
}

/**
 * As `Engine.insertBatch`.
 * @param spare see `appendBatch`
 */
export async function insertBatch(
  log: Log,
  to: { readonly catalog: Catalog; readonly source: string; readonly spare: number },
  batch: Batch,
): Promise<void> {
  const source = await withParts(() => writable(to.catalog, to.source));
  if (source.valueFormat.format !== 'COLUMNAR') {
    throw new StatementError(
      'INVALID',
      `${source.name} is not COLUMNAR: its records are ${source.valueFormat.format}`,
    );
  }
  await appendBatch(log, source, batch, to.spare);
}

function writable(catalog: Catalog, name: string): Source {
  const source = catalog.sources.get(name) ?? catalog.source(name.toUpperCase());
  checkWritable(source);
  return source;
}

/** As `Engine.stats`. */
export async function engineStats(
  log: Log,
  catalog: Catalog,
  queries: Queries,
): Promise<EngineStats> {
  const topics = await recordsByTopic(log);
  const totals = [...catalog.queries.keys()].map(
    (id) => [id, statsOf(queries.running(id))] as const,
  );
  const stats = { topics: named(topics), queries: named(totals) };
  const { placeOf } = POOL.fetched ?? {};
  if (placeOf === undefined) return stats;
  const places = [...queries.all].map(([id, { tasks }]) => {
    const known = tasks.flatMap((task) => {
      const place = placeOf(task);
      return place === null ? [] : [{ ...task.options.name, ...place }];
    });
    return [id, known] as const;
  });
  // Of an engine without Workers nothing is known.
  if (places.every(([, known]) => known.length === 0)) return stats;
  return { ...stats, tasks: named(places) };
}

/** Records ever appended, by user topic; without those that are removed meanwhile. */
async function recordsByTopic(log: Log): Promise<readonly (readonly [string, { in: number }])[]> {
  const topics: [string, { in: number }][] = [];
  for (const { name, partitions, internal } of await log.list()) {
    if (internal) continue;
    await unlessGone(async () => {
      let records = 0;
      for (let partition = 0; partition < partitions; partition++) {
        records += (await log.bounds({ topic: name, partition })).highWatermark;
      }
      topics.push([name, { in: records }]);
    });
  }
  return topics;
}

/** Names are the user's: no prototype, so that `__proto__` is a name like any other. */
function named<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const made = Object.create(null) as Record<string, T>;
  for (const [name, value] of entries) made[name] = value;
  return made;
}
