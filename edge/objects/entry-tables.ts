// The catalog's log of changes in SQLite and what it adds up to in memory: sources, queries, plans; synchronous, makes no call.

import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { CATALOG_ENTRIES_OVER_MAX, CATALOG_ENTRY_BYTES_MAX } from '../../runtime/base/limits.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { Catalog } from '../../runtime/catalog/catalog.ts';
import {
  applied,
  type CatalogChange,
  type CatalogEntry,
  CHANGE_VERSION,
} from '../../runtime/engine/changes.ts';
import { PROCESSING_LOG } from '../../runtime/engine/system.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { noteFewerEntries } from './topic-tables.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS entry(number INTEGER PRIMARY KEY, entry TEXT NOT NULL);
`;

/** What a query runs, and the number of the entry that says so. */
export interface Planned {
  readonly plan: Plan;
  readonly number: number;
}

/**
 * What still held when entries were made fewer, as entries with numbers below 0: first this, then a change for each source, query, type and property. Those of
 * queries say the number that their plan has.
 */
interface Kept extends Omit<CatalogEntry, 'change'> {
  readonly kept: { readonly number: number; readonly ended: readonly string[] };
}

type Stored = (CatalogEntry & { readonly planned?: number | undefined }) | Kept;

/** All entries so far, folded. */
interface Folded {
  readonly catalog: Catalog;
  readonly plans: ReadonlyMap<string, Planned>;
}

const START: Folded = { catalog: Catalog.empty.withSource(PROCESSING_LOG), plans: new Map() };

export class EntryTables {
  readonly #sql: SqlStorage;
  #folded: Folded = START;
  #last = 0;
  /** Entries since they were last made fewer. */
  #since = 0;

  /** @throws {PortError} CORRUPT when an entry was written by a newer version */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
    const rows = sql.exec<{ number: number; entry: string }>('SELECT * FROM entry ORDER BY number');
    for (const { number, entry } of rows) {
      const stored = JSON.parse(entry) as Stored;
      const { version } = stored;
      if (version > CHANGE_VERSION) {
        throw new PortError('CORRUPT', `catalog entry ${number} is of a newer version, ${version}`);
      }
      if ('kept' in stored) {
        this.#last = stored.kept.number;
        const ended = new Set(stored.kept.ended);
        this.#folded = { ...this.#folded, catalog: this.#folded.catalog.changed({ ended }) };
        continue;
      }
      this.#folded = folded(this.#folded, stored.change, stored.planned ?? number);
      if (number < 0) continue;
      this.#last = number;
      this.#since += 1;
    }
  }

  get catalog(): Catalog {
    return this.#folded.catalog;
  }

  planned(query: string): Planned | null {
    return this.#folded.plans.get(query) ?? null;
  }

  plan(query: string): Plan | null {
    return this.planned(query)?.plan ?? null;
  }

  get plans(): readonly Plan[] {
    return [...this.#folded.plans.values()].map(({ plan }) => plan);
  }

  isPaused(query: string): boolean {
    return this.catalog.queries.get(query)?.paused === true;
  }

  /** The number of the last entry: how many statements have changed something. */
  get number(): number {
    return this.#last;
  }

  /**
   * Adds an entry and shows it once `commit`, which runs its first argument in a transaction and is told the number, has succeeded.
   * @returns its number
   * @throws {StatementError} when the change cannot be, or is too long (LIMIT): nothing has changed
   */
  add(
    statement: string,
    change: CatalogChange,
    commit: (write: () => void, number: number) => void,
  ): number {
    const number = this.#last + 1;
    const after = folded(this.#folded, change, number);
    const entry: CatalogEntry = { version: CHANGE_VERSION, statement, change };
    const text = JSON.stringify(entry);
    refuseLong(text);
    const { sources } = after.catalog;
    const isMany =
      this.#since + 1 >= Math.max(CATALOG_ENTRIES_OVER_MAX, sources.size + after.plans.size);
    commit(() => {
      if (isMany) this.#keep(after, number);
      else this.#sql.exec('INSERT INTO entry VALUES (?, ?)', number, text);
    }, number);
    this.#since = isMany ? 0 : this.#since + 1;
    this.#folded = after;
    this.#last = number;
    return number;
  }

  /** Gives no number up to that one any more; in the caller's transaction. What it says changes nothing. */
  skipTo(number: number): void {
    const change: CatalogChange = { change: 'terminate', queries: [] };
    this.#sql.exec('INSERT INTO entry VALUES (?, ?)', number, JSON.stringify(about({ change })));
    this.#last = number;
  }

  /** Writes what still holds in the place of all entries, in the transaction of the last of them. */
  #keep({ catalog, plans }: Folded, number: number): void {
    const kept: Stored[] = [about({ kept: { number, ended: [...catalog.ended] } })];
    // It is there from the beginning, and stands where it did unless it has been dropped.
    const [first] = catalog.sources.keys();
    const { name: log } = PROCESSING_LOG;
    if (first !== log)
      kept.push(about({ change: { change: 'drop', name: log, terminates: null, topic: null } }));
    for (const source of catalog.sources.values())
      if (source !== PROCESSING_LOG) kept.push(about({ change: { change: 'source', source } }));
    for (const query of catalog.queries.values()) {
      const planned = plans.get(query.id);
      if (planned === undefined) continue;
      const { plan } = planned;
      const change: CatalogChange = { change: 'query', query, source: null, plan };
      kept.push(about({ change, planned: planned.number }));
    }
    for (const [name, type] of catalog.types)
      kept.push(about({ change: { change: 'type', name, type } }));
    for (const [name, value] of catalog.properties)
      kept.push(about({ change: { change: 'property', name, value } }));
    this.#sql.exec('DELETE FROM entry');
    kept.forEach((entry, i) =>
      this.#sql.exec('INSERT INTO entry VALUES (?, ?)', i - kept.length, JSON.stringify(entry)),
    );
    noteFewerEntries(this.#sql);
  }
}

/** An entry that is no statement's. */
function about<T>(what: T): T & Pick<CatalogEntry, 'version' | 'statement'> {
  return { version: CHANGE_VERSION, statement: '', ...what };
}

/** Whoever carries it out keeps it in a row too. @throws {StatementError} LIMIT */
function refuseLong(text: string): void {
  if (text.length * 3 <= CATALOG_ENTRY_BYTES_MAX) return;
  const bytes = encodeUtf8(text).length;
  if (bytes <= CATALOG_ENTRY_BYTES_MAX) return;
  const message = `the statement and its plan are ${bytes} bytes, and ${CATALOG_ENTRY_BYTES_MAX} is the most (CATALOG_ENTRY_BYTES_MAX)`;
  throw new StatementError('LIMIT', message, null, 'Name the columns that are needed.');
}

function folded({ catalog, plans }: Folded, change: CatalogChange, number: number): Folded {
  const after = new Map(plans);
  if (change.change === 'query') after.set(change.query.id, { plan: change.plan, number });
  if (change.change === 'drop' && change.terminates !== null) after.delete(change.terminates);
  if (change.change === 'terminate') for (const id of change.queries) after.delete(id);
  return { catalog: applied(catalog, change), plans: after };
}
