// The state changes of commits as rows, in their order, until they are folded; and which are too long to be kept at all. Knows no commit's position.

import { RecordError } from '../../runtime/base/errors.ts';
import { STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { Commit } from '../../runtime/ports/store.ts';
import { RecordCrash } from '../../runtime/task/crash.ts';
import { LongRows } from './long-rows.ts';

const TABLE =
  'CREATE TABLE IF NOT EXISTS delta(id INTEGER PRIMARY KEY, task INTEGER NOT NULL, data BLOB NOT NULL)';

/** All but `refuseLong` within the caller's transaction. */
export class DeltaTable {
  readonly #sql: SqlStorage;
  readonly #long: LongRows;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
    this.#long = new LongRows(sql, 'delta');
  }

  add(task: number, delta: Uint8Array<ArrayBuffer>): void {
    const { id } = this.#sql
      .exec<{ id: number }>(
        'INSERT INTO delta(task, data) VALUES (?, ?) RETURNING id',
        task,
        this.#long.first(delta),
      )
      .one();
    this.#long.putRest(id, delta);
  }

  /** In the order of their commits. */
  all(task: number): Uint8Array[] {
    return this.#sql
      .exec<{ id: number; data: ArrayBuffer }>(
        'SELECT id, data FROM delta WHERE task = ? ORDER BY id',
        task,
      )
      .toArray()
      .map(({ id, data }) => this.#long.whole(id, data));
  }

  removeAll(task: number): void {
    this.#long.removeAll(task);
    this.#sql.exec('DELETE FROM delta WHERE task = ?', task);
  }
}

/**
 * State that is too long is its records' fault: fewer are tried, and the one that makes it so by itself is given up.
 * @throws {RecordCrash}
 */
export function refuseLong({ changes, taken = 1 }: Commit): void {
  for (const { key, value } of changes) {
    if (key.length > STATE_KEY_BYTES_MAX)
      throw tooLong('key', key.length, STATE_KEY_BYTES_MAX, 'STATE_KEY_BYTES_MAX', taken);
    if (value !== null && value.length > STATE_VALUE_BYTES_MAX)
      throw tooLong('value', value.length, STATE_VALUE_BYTES_MAX, 'STATE_VALUE_BYTES_MAX', taken);
  }
}

function tooLong(
  what: string,
  bytes: number,
  bytesMax: number,
  limit: string,
  taken: number,
): RecordCrash {
  const message = `a ${what} of state would be ${bytes} bytes, and ${bytesMax} is the most (${limit})`;
  return new RecordCrash(taken, new RecordError('SERIALIZATION', message));
}
