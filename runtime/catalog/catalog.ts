// All streams, tables, queries and custom types of one moment, as immutable versions; knows no plan and no host.

import { type Position, StatementError } from '../base/errors.ts';
import { QUERIES_MAX } from '../base/limits.ts';
import type { Type } from '../data/type.ts';
import { didYouMean } from './nearest.ts';
import type { Source } from './source.ts';

/** A persistent query: what it reads and writes. Plain JSON. */
export interface PersistentQuery {
  readonly id: string;
  /** The statement that made it, as it was written. */
  readonly statement: string;
  /** Names of the sources that it reads. */
  readonly reads: readonly string[];
  /** Name of the source that it writes; null when it only keeps state. */
  readonly writes: string | null;
  /** true: PAUSE has stopped it until RESUME. */
  readonly paused?: boolean | undefined;
}

/** Queries around one source. */
export interface Links {
  /** Ids of the queries that read it. */
  readonly readBy: readonly string[];
  /** Ids of the queries that write it. */
  readonly writtenBy: readonly string[];
  /** Names of the sources made from it. */
  readonly feeds: readonly string[];
}

interface Contents {
  readonly version: number;
  readonly sources: ReadonlyMap<string, Source>;
  readonly queries: ReadonlyMap<string, PersistentQuery>;
  readonly types: ReadonlyMap<string, Type>;
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * One version of the catalog. Every change gives a new version and leaves this one as it is, so that a statement is
 * analyzed against one moment. Cost of a change: a copy of one map.
 */
export class Catalog {
  // By `this`: the compiler's emit for older runtimes would name the class before it is there.
  static readonly empty: Catalog = new this({
    version: 0,
    sources: new Map(),
    queries: new Map(),
    types: new Map(),
    properties: new Map(),
  });

  /** Counts the changes since the empty catalog. */
  readonly version: number;
  /** Streams and tables by name, in the order of their creation. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly queries: ReadonlyMap<string, PersistentQuery>;
  /** Custom types by name. */
  readonly types: ReadonlyMap<string, Type>;
  /** Of all sessions (ALTER SYSTEM), by name. */
  readonly properties: ReadonlyMap<string, string>;

  private constructor(contents: Contents) {
    this.version = contents.version;
    this.sources = contents.sources;
    this.queries = contents.queries;
    this.types = contents.types;
    this.properties = contents.properties;
  }

  #changed(change: Partial<Contents>): Catalog {
    return new Catalog({
      sources: this.sources,
      queries: this.queries,
      types: this.types,
      properties: this.properties,
      ...change,
      version: this.version + 1,
    });
  }

  /**
   * The stream or table of that name.
   * @throws {StatementError} UNKNOWN_SOURCE, with the nearest name
   */
  source(name: string, at: Position | null = null): Source {
    const found = this.sources.get(name);
    if (found !== undefined) return found;
    throw new StatementError(
      'UNKNOWN_SOURCE',
      `there is no stream or table ${name}`,
      at,
      didYouMean(name, this.sources.keys(), 'SHOW STREAMS and SHOW TABLES list what there is.'),
    );
  }

  /** The query of that id. @throws {StatementError} UNKNOWN_QUERY, with the nearest id */
  query(id: string, at: Position | null = null): PersistentQuery {
    const found = this.queries.get(id);
    if (found !== undefined) return found;
    throw new StatementError(
      'UNKNOWN_QUERY',
      `there is no query ${id}`,
      at,
      didYouMean(id, this.queries.keys(), 'SHOW QUERIES lists those that run.'),
    );
  }

  /** With the source added, or replaced where the name is taken. */
  withSource(source: Source): Catalog {
    return this.#changed({ sources: new Map(this.sources).set(source.name, source) });
  }

  /**
   * Without the source and the query that made it.
   * @throws {StatementError} UNKNOWN_SOURCE; IN_USE, naming what depends on it
   */
  withoutSource(name: string, at: Position | null = null): Catalog {
    const source = this.source(name, at);
    this.refuseDrop(name, at);
    const sources = new Map(this.sources);
    sources.delete(name);
    const queries = new Map(this.queries);
    if (source.query !== null) queries.delete(source.query);
    return this.#changed({ sources, queries });
  }

  /** @throws {StatementError} LIMIT beyond QUERIES_MAX */
  withQuery(query: PersistentQuery): Catalog {
    if (!this.queries.has(query.id) && this.queries.size >= QUERIES_MAX) {
      throw new StatementError(
        'LIMIT',
        `${QUERIES_MAX} persistent queries run already`,
        null,
        'TERMINATE one first.',
      );
    }
    return this.#changed({ queries: new Map(this.queries).set(query.id, query) });
  }

  /** Without the query; what it wrote stays, as a source that only its topic feeds. @throws {StatementError} UNKNOWN_QUERY */
  withoutQuery(id: string, at: Position | null = null): Catalog {
    this.query(id, at);
    const queries = new Map(this.queries);
    queries.delete(id);
    return this.#changed({ queries });
  }

  withType(name: string, type: Type): Catalog {
    return this.#changed({ types: new Map(this.types).set(name, type) });
  }

  withoutType(name: string): Catalog {
    const types = new Map(this.types);
    types.delete(name);
    return this.#changed({ types });
  }

  withProperty(name: string, value: string): Catalog {
    return this.#changed({ properties: new Map(this.properties).set(name, value) });
  }

  /** Who reads, writes and derives from the source. */
  links(name: string): Links {
    const queries = [...this.queries.values()];
    const readers = queries.filter((query) => query.reads.includes(name));
    return {
      readBy: readers.map((query) => query.id),
      writtenBy: queries.filter((query) => query.writes === name).map((query) => query.id),
      feeds: [
        ...new Set(readers.flatMap((query) => (query.writes === null ? [] : [query.writes]))),
      ],
    };
  }

  /**
   * Checks that nothing but the query that made it uses the source.
   * @throws {StatementError} IN_USE, naming the queries and sources
   */
  refuseDrop(name: string, at: Position | null): void {
    const own = this.sources.get(name)?.query ?? null;
    const { readBy, writtenBy, feeds } = this.links(name);
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
}
