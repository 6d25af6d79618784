// The catalog's log of changes in SQLite and what it adds up to in memory: sources, queries, plans; synchronous, makes no call.

import { PortError } from '../../runtime/base/errors.ts';
import { Catalog } from '../../runtime/catalog/catalog.ts';
import {
  applied,
  type CatalogChange,
  type CatalogEntry,
  CHANGE_VERSION,
} from '../../runtime/engine/changes.ts';
import { PROCESSING_LOG } from '../../runtime/engine/system.ts';
import type { Plan } from '../../runtime/plan/step.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS entry(number INTEGER PRIMARY KEY, entry TEXT NOT NULL);
`;

/** What a query runs, and the number of the entry that says so. */
export interface Planned {
  readonly plan: Plan;
  readonly number: number;
}

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

  /** @throws {PortError} CORRUPT when an entry was written by a newer version */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
    const rows = sql.exec<{ number: number; entry: string }>('SELECT * FROM entry ORDER BY number');
    for (const { number, entry } of rows) {
      const { version, change } = JSON.parse(entry) as CatalogEntry;
      if (version > CHANGE_VERSION) {
        throw new PortError('CORRUPT', `catalog entry ${number} is of a newer version, ${version}`);
      }
      this.#folded = folded(this.#folded, change, number);
      this.#last = number;
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
   * @throws {StatementError} when the change cannot be: nothing has changed
   */
  add(
    statement: string,
    change: CatalogChange,
    commit: (write: () => void, number: number) => void,
  ): number {
    const number = this.#last + 1;
    const after = folded(this.#folded, change, number);
    const entry: CatalogEntry = { version: CHANGE_VERSION, statement, change };
    commit(() => {
      this.#sql.exec('INSERT INTO entry VALUES (?, ?)', number, JSON.stringify(entry));
    }, number);
    this.#folded = after;
    this.#last = number;
    return number;
  }
}

function folded({ catalog, plans }: Folded, change: CatalogChange, number: number): Folded {
  const after = new Map(plans);
  if (change.change === 'query') after.set(change.query.id, { plan: change.plan, number });
  if (change.change === 'drop' && change.terminates !== null) after.delete(change.terminates);
  if (change.change === 'terminate') for (const id of change.queries) after.delete(id);
  return { catalog: applied(catalog, change), plans: after };
}
