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

/** All entries so far, folded. */
interface Folded {
  readonly catalog: Catalog;
  readonly plans: ReadonlyMap<string, Plan>;
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
      this.#folded = folded(this.#folded, change);
      this.#last = number;
    }
  }

  get catalog(): Catalog {
    return this.#folded.catalog;
  }

  plan(query: string): Plan | null {
    return this.#folded.plans.get(query) ?? null;
  }

  get plans(): Iterable<Plan> {
    return this.#folded.plans.values();
  }

  /** The number of the last entry: how many statements have changed something. */
  get number(): number {
    return this.#last;
  }

  /**
   * Adds an entry and shows it once `commit`, which runs its argument in a transaction, has succeeded.
   * @returns its number
   * @throws {StatementError} when the change cannot be: nothing has changed
   */
  add(statement: string, change: CatalogChange, commit: (write: () => void) => void): number {
    const after = folded(this.#folded, change);
    const number = this.#last + 1;
    const entry: CatalogEntry = { version: CHANGE_VERSION, statement, change };
    commit(() => {
      this.#sql.exec('INSERT INTO entry VALUES (?, ?)', number, JSON.stringify(entry));
    });
    this.#folded = after;
    this.#last = number;
    return number;
  }
}

function folded({ catalog, plans }: Folded, change: CatalogChange): Folded {
  const after = new Map(plans);
  if (change.change === 'query') after.set(change.query.id, change.plan);
  if (change.change === 'drop' && change.terminates !== null) after.delete(change.terminates);
  if (change.change === 'terminate') for (const id of change.queries) after.delete(id);
  return { catalog: applied(catalog, change), plans: after };
}
