// Calls of an engine that are the same for its public face and for the page's side of a Worker: rows in, records, lines, totals, waits; knows no query.

import { checkOptions } from '../base/options.ts';
import type { TopicRecord } from '../data/topic-record.ts';
import { withParts } from '../task/with-parts.ts';
import { INSERT_OPTIONS, TOPIC_RECORDS_OPTIONS } from './call-options.ts';
import type { EngineStats, InsertOptions, InsertRow } from './engine.ts';
import type { EngineCore } from './engine-core.ts';
import type { ProducedAt } from './insert.ts';
import { RARE_CALLS } from './own-parts.ts';
import { errorOf as errorOfQuery, idle as untilIdle } from './query-work.ts';
import type { ReadOptions } from './records.ts';

/** A call that appends: `idle` and `close` wait for it, though its caller may not. @throws {PortError} UNAVAILABLE once the engine is closed */
export async function writing<T>(
  core: EngineCore,
  write: (core: EngineCore) => Promise<T>,
): Promise<T> {
  core.closing.throwIfAborted();
  const done = write(core);
  core.writes.add(done);
  try {
    return await done;
  } finally {
    core.writes.delete(done);
  }
}

/** As `Engine.insert`: places for an array of rows, else a place. */
export async function insert(
  core: EngineCore,
  source: string,
  given: InsertRow | readonly InsertRow[],
  options: InsertOptions = {},
): Promise<ProducedAt | readonly ProducedAt[]> {
  checkOptions('insert', options, INSERT_OPTIONS);
  return writing(core, async () => {
    const { insertRows } = await withParts(() => RARE_CALLS.code);
    return insertRows(core, source, given, options);
  });
}

/** As `Engine.topicRecords`. */
export async function topicRecords(
  core: EngineCore,
  topic: string,
  options: ReadOptions = {},
): Promise<readonly TopicRecord[]> {
  checkOptions('topicRecords', options, TOPIC_RECORDS_OPTIONS);
  core.closing.throwIfAborted();
  const { readRecords } = await withParts(() => RARE_CALLS.code);
  return readRecords(core.made.host.log, topic, options);
}

/** As `Engine.print`. @param signals each ends the lines, as the engine's end does */
export async function print(
  core: EngineCore,
  sql: string,
  signals: readonly AbortSignal[],
): Promise<AsyncGenerator<string, void, undefined>> {
  core.closing.throwIfAborted();
  return core.inTurn(async () => {
    const { printTopic } = await withParts(() => RARE_CALLS.code);
    const { log } = core.made.host;
    return printTopic(await core.parsed(sql), log, [core.closing, ...signals]);
  });
}

/** As `Engine.stats`. */
export async function stats(core: EngineCore): Promise<EngineStats> {
  core.closing.throwIfAborted();
  const { engineStats } = await withParts(() => RARE_CALLS.code);
  const { host, queries, statements } = core.made;
  return engineStats(host.log, statements.catalog, queries);
}

/** As `Engine.errorOf`. */
export function errorOf({ made }: EngineCore, queryId: string): Error | null {
  const { queries, statements } = made;
  const of = (id: string): Error | null =>
    errorOfQuery(queries.running(id)) ?? statements.waiting.get(id) ?? null;
  return of(queryId) ?? of(queryId.toUpperCase());
}

/** As `Engine.idle`. */
export async function idle(core: EngineCore): Promise<void> {
  core.closing.throwIfAborted();
  const { made, writes } = core;
  // After the statements and writes that came before, and not in the way of those that come after.
  await Promise.allSettled([core.inTurn(async () => undefined), ...writes]);
  await untilIdle(made.queries, made.host.log);
}
