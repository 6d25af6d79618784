// What is rarely done to a catalog: taking away, pausing, types and properties, and who depends on whom; fetched on first use. Knows no plan.

import { type Position, StatementError } from '../base/errors.ts';
import { TYPES_MAX } from '../base/limits.ts';
import type { Type } from '../data/type.ts';
import { added, type Catalog, type PersistentQuery } from './catalog.ts';
import type { Source } from './source.ts';
import { didYouMean } from './words.ts';

/** Queries around one source. */
interface Links {
  /** Ids of the queries that read it. */
  readonly readBy: readonly string[];
  /** Ids of the queries that write it. */
  readonly writtenBy: readonly string[];
  /** Names of the sources made from it. */
  readonly feeds: readonly string[];
}

/** The query of that id. @throws {StatementError} UNKNOWN_QUERY, with the nearest id, or that of the query which writes a source of that name */
export function queryOf(
  { queries, sources }: Catalog,
  id: string,
  at: Position | null = null,
): PersistentQuery {
  const found = queries.get(id);
  if (found !== undefined) return found;
  const writer = sources.get(id)?.query;
  throw new StatementError(
    'UNKNOWN_QUERY',
    `there is no query ${id}`,
    at,
    writer
      ? `${writer} writes ${id}.`
      : didYouMean(id, queries.keys(), 'SHOW QUERIES lists those that run.'),
  );
}

/** Names of the streams and tables that a query writes. */
export function writtenBy({ writes, outputs }: PersistentQuery): readonly string[] {
  return outputs ?? (writes === null ? [] : [writes]);
}

/**
 * Without the source and the query that made it.
 * @throws {StatementError} UNKNOWN_SOURCE; IN_USE, naming what depends on it
 */
export function withoutSource(catalog: Catalog, name: string): Catalog {
  const source = catalog.source(name);
  refuseDrop(catalog, name, null);
  const sources = new Map(catalog.sources);
  sources.delete(name);
  const queries = new Map(catalog.queries);
  if (source.query !== null) queries.delete(source.query);
  return catalog.changed({ sources, queries });
}

/**
 * Without the query; what it wrote stays, as a source that only its topic feeds. The state of a processor goes with it.
 * @throws {StatementError} UNKNOWN_QUERY
 */
export function withoutQuery(catalog: Catalog, id: string): Catalog {
  const { processor: ended } = queryOf(catalog, id);
  const queries = new Map(catalog.queries);
  queries.delete(id);
  const isLeft = ({ processor, query }: Source): boolean => processor === undefined || query !== id;
  const sources = new Map([...catalog.sources].filter(([, source]) => isLeft(source)));
  if (ended === undefined) return catalog.changed({ queries, sources });
  return catalog.changed({ queries, sources, ended: new Set(catalog.ended).add(ended) });
}

/** With the query paused, or not any more. @throws {StatementError} UNKNOWN_QUERY */
export function withPaused(catalog: Catalog, id: string, paused: boolean): Catalog {
  return catalog.withQuery({ ...queryOf(catalog, id), paused });
}

/** With two sources under each other's name, for the queries that read and write them too. @throws {StatementError} UNKNOWN_SOURCE */
export function withSwapped(catalog: Catalog, name: string, other: string): Catalog {
  const [was, becomes] = [catalog.source(name), catalog.source(other)];
  const sources = new Map(catalog.sources)
    .set(name, { ...becomes, name })
    .set(other, { ...was, name: other });
  const renamed = (of: string): string => (of === name ? other : of === other ? name : of);
  const queries = new Map<string, PersistentQuery>();
  for (const [id, query] of catalog.queries) {
    const { reads, writes, outputs } = query;
    queries.set(id, {
      ...query,
      reads: reads.map(renamed),
      writes: writes === null ? null : renamed(writes),
      outputs: outputs?.map(renamed),
    });
  }
  return catalog.changed({ sources, queries });
}

/** Ids of the queries whose rows come to the source, directly or through others: those first that others read. */
export function makersOf({ sources, queries }: Catalog, name: string): readonly string[] {
  const makers = new Set<string>();
  const seen = new Set<string>();
  const visit = (source: string): void => {
    if (seen.has(source)) return;
    seen.add(source);
    const own = sources.get(source)?.query;
    for (const query of queries.values()) {
      if (query.id !== own && !writtenBy(query).includes(source)) continue;
      query.reads.forEach(visit);
      makers.add(query.id);
    }
  };
  visit(name);
  return [...makers];
}

/** With the type added, or replaced. @throws {StatementError} LIMIT beyond TYPES_MAX */
export function withType(catalog: Catalog, name: string, type: Type): Catalog {
  return catalog.changed({ types: added(catalog.types, name, type, TYPES_MAX) });
}

export function withoutType(catalog: Catalog, name: string): Catalog {
  const types = new Map(catalog.types);
  types.delete(name);
  return catalog.changed({ types });
}

export function withProperty(catalog: Catalog, name: string, value: string): Catalog {
  return catalog.changed({ properties: new Map(catalog.properties).set(name, value) });
}

/** Who reads, writes and derives from the source. */
export function linksOf(catalog: Catalog, name: string): Links {
  const queries = [...catalog.queries.values()];
  const readers = queries.filter((query) => query.reads.includes(name));
  return {
    readBy: readers.map((query) => query.id),
    writtenBy: queries.filter((query) => writtenBy(query).includes(name)).map(({ id }) => id),
    feeds: [...new Set(readers.flatMap(writtenBy))],
  };
}

/**
 * Checks that nothing but the query that made it uses the source.
 * @throws {StatementError} IN_USE, naming the queries and sources
 */
export function refuseDrop(catalog: Catalog, name: string, at: Position | null): void {
  const own = catalog.sources.get(name)?.query ?? null;
  const { readBy, writtenBy, feeds } = linksOf(catalog, name);
  const users = [...new Set([...readBy, ...writtenBy])].filter((id) => id !== own);
  if (users.length === 0) return;
  const dependants =
    feeds.length === 0
      ? ''
      : `; ${feeds.join(', ')} ${feeds.length === 1 ? 'is' : 'are'} made from it`;
  throw new StatementError(
    'IN_USE',
    `${name} is in use by ${users.join(', ')}${dependants}`,
    at,
    `TERMINATE ${users.join(', ')} first.`,
  );
}
