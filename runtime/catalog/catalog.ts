// All streams, tables, queries and custom types of one moment, as immutable versions; rarer changes are in rare-changes.ts. Knows no plan and no host.

import type { Position } from '../base/errors.ts';
import { QUERIES_MAX, SOURCES_MAX } from '../base/limits.ts';
import type { Type } from '../data/type.ts';
import { WORDS } from './parts.ts';
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
  /** The processor in code that it runs; absent: it is of a statement. */
  readonly processor?: string | undefined;
  /** Names of the streams that a processor writes, where there may be several. */
  readonly outputs?: readonly string[] | undefined;
  /** true: PAUSE has stopped it until RESUME. */
  readonly paused?: boolean | undefined;
}

interface Contents {
  readonly version: number;
  readonly sources: ReadonlyMap<string, Source>;
  readonly queries: ReadonlyMap<string, PersistentQuery>;
  readonly types: ReadonlyMap<string, Type>;
  readonly properties: ReadonlyMap<string, string>;
  readonly ended: ReadonlySet<string>;
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
    ended: new Set(),
  });

  /** Counts the changes since the empty catalog. */
  declare readonly version: number;
  /** Streams and tables by name, in the order of their creation. */
  declare readonly sources: ReadonlyMap<string, Source>;
  declare readonly queries: ReadonlyMap<string, PersistentQuery>;
  /** Custom types by name. */
  declare readonly types: ReadonlyMap<string, Type>;
  /** Of all sessions (ALTER SYSTEM), by name. */
  declare readonly properties: ReadonlyMap<string, string>;
  /** Names of processors in code that TERMINATE has ended: they do not begin again. */
  declare readonly ended: ReadonlySet<string>;

  private constructor(contents: Contents) {
    Object.assign(this, contents);
  }

  /** The next version, with other contents. */
  changed(change: Partial<Omit<Contents, 'version'>>): Catalog {
    return new Catalog(Object.assign({}, this, change, { version: this.version + 1 }));
  }

  /**
   * The stream or table of that name.
   * @throws {StatementError} UNKNOWN_SOURCE, with the nearest name
   */
  source(name: string, at: Position | null = null): Source {
    const found = this.sources.get(name);
    if (found !== undefined) return found;
    throw WORDS.code.unknownSource(name, this.sources.keys(), at);
  }

  /** With the source added, or replaced where the name is taken. @throws {StatementError} LIMIT beyond SOURCES_MAX */
  withSource(source: Source): Catalog {
    const sources = added(this.sources, source.name, source, SOURCES_MAX);
    return this.changed({ sources });
  }

  /** @throws {StatementError} LIMIT beyond QUERIES_MAX */
  withQuery(query: PersistentQuery): Catalog {
    const queries = added(this.queries, query.id, query, QUERIES_MAX);
    return this.changed({ queries });
  }
}

/** The map with one entry more, or another one. @throws {StatementError} LIMIT when there are as many as may be */
export function added<T>(
  to: ReadonlyMap<string, T>,
  name: string,
  value: T,
  most: number,
): ReadonlyMap<string, T> {
  if (!to.has(name) && to.size >= most) throw WORDS.code.tooMany(most);
  return new Map(to).set(name, value);
}
