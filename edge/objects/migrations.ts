// Migrations of a catalog in SQLite: texts of statements that are applied once each, in order; synchronous, runs no statement.

import { LimitError, StatementError } from '../../runtime/base/errors.ts';
import { MIGRATIONS_MAX } from '../../runtime/base/limits.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import type { MigrationStatus } from '../../runtime/client/migrations.ts';
import type { Migration } from '../env.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS migration(
  name TEXT PRIMARY KEY, version INTEGER, sha256 TEXT NOT NULL, state TEXT NOT NULL, done TEXT NOT NULL, error TEXT,
  atMs REAL NOT NULL) WITHOUT ROWID;
`;

interface MigrationRow {
  [column: string]: SqlStorageValue;
  name: string;
  version: number | null;
  sha256: string;
  state: MigrationStatus['state'];
  /** The texts of the statements that are done, as JSON. */
  done: string;
  error: string | null;
  atMs: number;
}

/** Statements that only hold for the text that they stand in: they are done again. */
const OF_THE_TEXT: ReadonlySet<Statement['kind']> = new Set(['Set', 'Unset', 'Define', 'Undefine']);

export class Migrations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  list(): MigrationStatus[] {
    return this.#rows().map(({ done, ...status }) => {
      return { ...status, statements: textsOf(done).length };
    });
  }

  /** True: it is applied, with this text. */
  isApplied({ name, sha256 }: Migration): boolean {
    const [row] = this.#rows('WHERE name = ?', name);
    return row?.state === 'MIGRATED' && row.sha256 === sha256;
  }

  /**
   * Begins a migration, or goes on with one that has failed.
   * @returns null when it is applied
   * @throws {StatementError} ALREADY_EXISTS when it was applied with another text, INVALID when it is not its turn
   * @throws {LimitError} MIGRATIONS_MAX
   */
  begin(migration: Migration): MigrationRun | null {
    const { name, version, sha256 } = migration;
    const [row] = this.#rows('WHERE name = ?', name);
    if (this.isApplied(migration)) return null;
    if (row?.state === 'MIGRATED') {
      const what = `migration '${name}' was applied with another text`;
      const hint = 'What is applied stays as it was: write another migration.';
      throw new StatementError('ALREADY_EXISTS', what, null, hint);
    }
    if (version !== null) this.#refuseTurn(name, version);
    if (row === undefined && this.#count >= MIGRATIONS_MAX) {
      const message = `${MIGRATIONS_MAX} migrations are remembered, and no more`;
      throw new LimitError('MIGRATIONS_MAX', message);
    }
    return new MigrationRun(textsOf(row?.done ?? '[]'), (state, done, error) => {
      this.#sql.exec(
        'INSERT OR REPLACE INTO migration VALUES (?, ?, ?, ?, ?, ?, ?)',
        name,
        version,
        sha256,
        state,
        JSON.stringify(done),
        error,
        Date.now(),
      );
    });
  }

  #refuseTurn(name: string, version: number): void {
    const others = 'WHERE version IS NOT NULL AND name <> ?';
    const [open] = this.#rows(`${others} AND state <> 'MIGRATED'`, name);
    if (open !== undefined) {
      const hint = 'Mend its text behind the statements that are done, and apply it first.';
      throw new StatementError('INVALID', `migration '${open.name}' has failed`, null, hint);
    }
    const [later] = this.#rows(`${others} AND version >= ?`, name, version);
    if (later === undefined) return;
    const what = `migration '${name}' comes too late: '${later.name}' is applied`;
    throw new StatementError('INVALID', what, null, 'Give it the next number.');
  }

  #rows(where = '', ...bound: (string | number)[]): MigrationRow[] {
    const select = `SELECT * FROM migration ${where} ORDER BY version, name`;
    return this.#sql.exec<MigrationRow>(select, ...bound).toArray();
  }

  get #count(): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM migration').one().n;
  }
}

function textsOf(done: string): string[] {
  return JSON.parse(done) as string[];
}

/**
 * One attempt at a migration. What an earlier one has done is passed over, so that each statement is done once: it is noted in the
 * transaction that does it. INSERT VALUES has none of the catalog's; where the outcome of its append is lost it is done again.
 */
export class MigrationRun {
  readonly #done: string[];
  readonly #write: (
    state: MigrationStatus['state'],
    done: readonly string[],
    error: string | null,
  ) => void;
  #index = 0;
  #text: string | null = null;
  /** Its transaction has written it; where that fails the attempt ends. */
  #isWritten = false;

  constructor(
    done: readonly string[],
    write: (state: MigrationStatus['state'], done: readonly string[], error: string | null) => void,
  ) {
    this.#done = [...done];
    this.#write = write;
  }

  /**
   * To be called before each statement. true: it is done, and passed over.
   * @throws {StatementError} INVALID when another statement was done in its place
   */
  isDone(statement: Statement): boolean {
    if (OF_THE_TEXT.has(statement.kind)) return false;
    const { text, at } = statement;
    const before = this.#done[this.#index++];
    if (before === undefined) {
      this.#text = text;
      return false;
    }
    if (before === text) return true;
    const hint = 'Write what else is to be done behind it.';
    throw new StatementError(
      'INVALID',
      `an earlier attempt did another statement here: ${before}`,
      at,
      hint,
    );
  }

  /** To be called in the statement's transaction, which may fail yet. */
  write(): void {
    if (this.#text === null) return;
    this.#write('RUNNING', [...this.#done, this.#text], null);
    this.#isWritten = true;
  }

  /** To be called behind that transaction, and behind statements that have none. */
  note(): void {
    if (this.#text === null) return;
    if (!this.#isWritten) this.write();
    this.#done.push(this.#text);
    this.#text = null;
    this.#isWritten = false;
  }

  /** @param error null: all statements are done */
  end(error: string | null): void {
    this.#write(error === null ? 'MIGRATED' : 'ERROR', this.#done, error);
  }
}
