// The catalog's outbox: calls that other objects must receive, in order per object, until they acknowledge; knows no call.

import { log } from '../../runtime/base/log.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS effect(id INTEGER PRIMARY KEY, target TEXT NOT NULL, call TEXT NOT NULL);
`;

/** Targets that are called at the same time. */
const CONCURRENT_MAX = 16;

/** Sends one call, given as JSON; resolves when the target has taken it. May be repeated. */
export type Send = (call: unknown) => Promise<void>;

export class Effects {
  readonly #sql: SqlStorage;
  readonly #send: Send;
  #flushing: Promise<boolean> | null = null;

  constructor(sql: SqlStorage, send: Send) {
    this.#sql = sql;
    this.#send = send;
    sql.exec(TABLES);
  }

  /** Adds calls, in the caller's transaction. Those of one target keep their order. */
  add(calls: Iterable<readonly [target: string, call: object]>): void {
    for (const [target, call] of calls) {
      this.#sql.exec(
        'INSERT INTO effect(target, call) VALUES (?, ?)',
        target,
        JSON.stringify(call),
      );
    }
  }

  get pending(): number {
    return this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM effect').one().n;
  }

  /** Sends what is pending; true when nothing is left. Never throws. One flush runs at a time. */
  async flush(): Promise<boolean> {
    while (this.#flushing !== null) await this.#flushing;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flush(): Promise<boolean> {
    // Without the calls: those of a long plan for many tasks are more together than the memory of an object.
    const queues = new Map<string, number[]>();
    const rows = this.#sql.exec<{ id: number; target: string }>(
      'SELECT id, target FROM effect ORDER BY id',
    );
    for (const { id, target } of rows) {
      const queue = queues.get(target) ?? [];
      queues.set(target, queue);
      queue.push(id);
    }
    const left = [...queues.values()];
    const lanes = Array.from({ length: Math.min(CONCURRENT_MAX, left.length) }, async () => {
      for (let queue = left.pop(); queue !== undefined; queue = left.pop())
        await this.#drain(queue);
    });
    await Promise.all(lanes);
    return this.pending === 0;
  }

  async #drain(queue: readonly number[]): Promise<void> {
    try {
      for (const id of queue) {
        const { call } = this.#sql
          .exec<{ call: string }>('SELECT call FROM effect WHERE id = ?', id)
          .one();
        await this.#send(JSON.parse(call));
        this.#sql.exec('DELETE FROM effect WHERE id = ?', id);
      }
    } catch (thrown) {
      log('warn', 'catalog-call-repeats', { thrown });
    }
  }
}
