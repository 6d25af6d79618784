// Runs a generated query in one way, and tells all that can be seen of it; judges nothing.

import { decodeUtf8 } from '../../runtime/base/bytes.ts';
import { LimitError, StatementError } from '../../runtime/base/errors.ts';
import { partitionOf } from '../../runtime/base/hash.ts';
import { type Engine, openEngine } from '../../runtime/engine/engine.ts';
import type { QueryStats } from '../../runtime/engine/queries.ts';
import type { Host } from '../../runtime/ports/host.ts';
import type { Draw } from './draws.ts';
import { NearWorkers } from './near-workers.ts';
import type { WideQuery, WideRecord } from './wide-queries.ts';

/** A chunk lists a number of problems, and which ones hangs on where chunks end. */
const PROBLEMS_COMPARED_MAX = 60;

export interface Way {
  /** Opens the host, again after each restart. */
  readonly host: () => Promise<Host>;
  readonly path: 'auto' | 'row';
  readonly fuse?: 'auto' | 'never';
  /** Absent: none. */
  readonly workers?: number;
  /** Whether it starts anew now. */
  readonly restarts: () => boolean;
  /** Called at the end, where there is a result. */
  readonly ask?: (engine: Engine) => Promise<void>;
}

/** Records that are given at once, of one topic and one partition. */
export type Piece = readonly (WideRecord & { readonly partition: number })[];

export interface WideRun {
  readonly query: WideQuery;
  readonly pieces: readonly Piece[];
  /** Whether the query begins when all records are there. */
  readonly isLate: boolean;
  /** Whether problems of late rows are told without their places: rows may come in by an internal topic. */
  readonly hidesLate: boolean;
}

/** Records in pieces of up to so many, and these by topic and partition, so that what is at hand at a time does not hang on how fast an engine is. */
export function piecesOf(
  records: readonly WideRecord[],
  draw: Draw,
  { max, partitions }: { readonly max: number; readonly partitions: number },
): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < records.length;) {
    const to = from + 1 + draw(max);
    const placed = records.slice(from, to).map((record) => {
      const { key, timestamp } = record;
      const partition = key === null ? timestamp % partitions : partitionOf(key, partitions);
      return { ...record, partition };
    });
    const groups = Map.groupBy(placed, ({ topic, partition }) => `${topic} ${partition}`);
    pieces.push(...groups.values());
    from = to;
  }
  return pieces;
}

/** What can be seen of a query; null: it is refused; a text: why it has ended. */
export async function outcome(run: WideRun, way: Way): Promise<unknown> {
  const { isTable, partitions } = run.query;
  const sql = [...run.query.sql];
  const late = run.isLate ? sql.splice(-1) : [];
  let engine = await opened(way);
  const settle = async (): Promise<void> => {
    if (way.restarts()) {
      await engine.close();
      engine = await opened(way);
    }
    await engine.idle();
  };
  try {
    for (const statement of sql) await engine.execute(statement);
    for (const piece of run.pieces) {
      await engine.produce(piece[0]?.topic ?? '', piece);
      await settle();
    }
    for (const statement of late) await engine.execute(statement);
    await settle();
    await way.ask?.(engine);
    const { queries } = await engine.stats();
    return {
      records: await recordsOf(engine, partitions),
      rows: isTable ? await (await engine.query('SELECT * FROM r;')).all() : null,
      problems: await problemsOf(engine, run.hidesLate),
      counters: Object.values(queries).map(countersOf),
    };
  } catch (thrown) {
    if (thrown instanceof StatementError) return null;
    // A DECIMAL that overflows ends the query, and what its commit held is undone.
    if (thrown instanceof LimitError) return thrown.message;
    throw thrown;
  } finally {
    await engine.close();
  }
}

/** Not how many records it took in: internal topics have some, too. */
function countersOf({ out, late, latePairs, dropped, errors }: QueryStats) {
  return { out, late, latePairs, dropped, errors };
}

async function opened({ host, path, fuse = 'auto', workers }: Way): Promise<Engine> {
  const properties = {
    'auto.offset.reset': 'earliest',
    'millrace.path': path,
    'millrace.fuse': fuse,
    'millrace.self.joins': 'allow',
  };
  const own = await host();
  if (workers === undefined) return openEngine({ host: own, properties });
  return openEngine({ host: { ...own, workers: new NearWorkers() }, properties, workers });
}

const hex = (bytes: Uint8Array | null): string | null =>
  bytes && Buffer.from(bytes).toString('hex');
const utf8 = (bytes: Uint8Array | null): string | null => bytes && decodeUtf8(bytes);

/** In their order; of several partitions, which several tasks may write, those of each key in their order and those without a key in any. */
async function recordsOf(engine: Engine, partitions: number): Promise<unknown> {
  const all = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (const { key, value, timestamp } of await engine.topicRecords('R', { partition }))
      all.push([partition, hex(key), utf8(value), timestamp]);
  }
  if (partitions === 1) return all;
  const byKey = Map.groupBy(all, ([partition, key]) => `${partition} ${key}`);
  return new Map(
    [...byKey].map(([name, own]) => [name, own[0]?.[1] === null ? own.map(String).sort() : own]),
  );
}

async function problemsOf(engine: Engine, hidesLate: boolean): Promise<readonly string[]> {
  const found = await engine.topicRecords('__processing_log').catch(() => []);
  if (found.length > PROBLEMS_COMPARED_MAX) return [];
  const texts = found.map(({ value }) => {
    const problem = JSON.parse(utf8(value) ?? '') as Record<string, unknown>;
    const { topic, partition, offset, code } = problem;
    return JSON.stringify(hidesLate && code === 'LATE' ? code : [topic, partition, offset, code]);
  });
  return texts.sort();
}
