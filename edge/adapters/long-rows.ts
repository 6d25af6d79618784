// Bytes that are longer than a row of an object's database may be (Cloudflare: 2 MB): the rest in rows of a table of its own. Knows no state.

import { concatBytes } from '../../runtime/base/byte-arrays.ts';

/** What one row holds of them; beside it there is room for a key. */
const ROW_BYTES_MAX = 1_048_576;

const TABLES = `
CREATE TABLE IF NOT EXISTS rest(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS rest_owner ON rest(kind, owner);
`;

/** Rests of the rows of one table, each of which has an `id`, a `task` and `data`. Where no row is long, nothing is asked of the database. */
export class LongRows {
  readonly #sql: SqlStorage;
  readonly #kind: 'delta' | 'page';
  #isEmpty: boolean;

  constructor(sql: SqlStorage, kind: 'delta' | 'page') {
    this.#sql = sql;
    this.#kind = kind;
    sql.exec(TABLES);
    this.#isEmpty =
      sql.exec('SELECT 1 FROM rest WHERE kind = ? LIMIT 1', kind).toArray().length === 0;
  }

  /** What the row itself takes of the bytes. */
  first(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return bytes.length <= ROW_BYTES_MAX ? bytes : bytes.subarray(0, ROW_BYTES_MAX);
  }

  /** Puts what else there is of them beside the row, in the place of what was there. */
  putRest(owner: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.remove(owner);
    for (let at = ROW_BYTES_MAX; at < bytes.length; at += ROW_BYTES_MAX) {
      this.#isEmpty = false;
      const data = bytes.subarray(at, at + ROW_BYTES_MAX);
      this.#sql.exec(
        'INSERT INTO rest(kind, owner, data) VALUES (?, ?, ?)',
        this.#kind,
        owner,
        data,
      );
    }
  }

  /** All the bytes of a row. */
  whole(owner: number, first: ArrayBuffer): Uint8Array {
    const bytes = new Uint8Array(first);
    if (bytes.length < ROW_BYTES_MAX || this.#isEmpty) return bytes;
    const rows = this.#sql.exec<{ data: ArrayBuffer }>(
      'SELECT data FROM rest WHERE kind = ? AND owner = ? ORDER BY id',
      this.#kind,
      owner,
    );
    return concatBytes([bytes, ...rows.toArray().map(({ data }) => new Uint8Array(data))]);
  }

  remove(owner: number): void {
    if (this.#isEmpty) return;
    this.#sql.exec('DELETE FROM rest WHERE kind = ? AND owner = ?', this.#kind, owner);
  }

  /** To be called before the rows of a task go. */
  removeAll(task: number): void {
    if (this.#isEmpty) return;
    this.#sql.exec(
      `DELETE FROM rest WHERE kind = ? AND owner IN (SELECT id FROM ${this.#kind} WHERE task = ?)`,
      this.#kind,
      task,
    );
  }
}
