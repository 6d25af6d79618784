// Which tickets of a tenant have been used, until they expire; knows no signature.

export class TicketTables {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS ticket (nonce TEXT PRIMARY KEY, expiresMs REAL) WITHOUT ROWID',
    );
  }

  /** Notes that a ticket is used. @returns false when it was before */
  use(nonce: string, expiresMs: number, nowMs: number): boolean {
    this.#sql.exec('DELETE FROM ticket WHERE expiresMs < ?', nowMs);
    const { rowsWritten } = this.#sql.exec(
      'INSERT OR IGNORE INTO ticket (nonce, expiresMs) VALUES (?, ?)',
      nonce,
      expiresMs,
    );
    return rowsWritten > 0;
  }
}
