// The catalog's outbox: calls that other objects must receive, in order per object, until they acknowledge; of a call it knows its name.

import { log } from '../../runtime/base/log.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS effect(id INTEGER PRIMARY KEY, target TEXT NOT NULL, call TEXT NOT NULL);
`;

/** Targets that are called at the same time. */
const CONCURRENT_MAX = 16;

export interface EffectsOptions {
  /** Sends one call, given as JSON; resolves when the target has taken it. May be repeated. */
  readonly send: (call: unknown) => Promise<void>;
  /** Names of calls (their member `effect`): those of a round are sent when all of the rounds before it were, save where one target's order is another. */
  readonly rounds: readonly (readonly string[])[];
}

/** Calls that one target waits for, the next one first. */
type Queue = { readonly id: number; readonly round: number }[];

export class Effects {
  readonly #sql: SqlStorage;
  readonly #options: EffectsOptions;
  #flushing: Promise<boolean> | null = null;
  /** The one behind it, which takes along what those have added who wait for it. */
  #next: Promise<boolean> | null = null;

  constructor(sql: SqlStorage, options: EffectsOptions) {
    this.#sql = sql;
    this.#options = options;
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

  /** Sends what is pending; true when nothing is left. Never throws. One flush runs at a time, and all who come meanwhile wait for the next one together. */
  flush(): Promise<boolean> {
    if (this.#next !== null) return this.#next;
    if (this.#flushing === null) return this.#begin();
    const begin = (): Promise<boolean> => {
      this.#next = null;
      return this.#begin();
    };
    this.#next = this.#flushing.then(begin, begin);
    return this.#next;
  }

  #begin(): Promise<boolean> {
    return (this.#flushing = this.#flush().finally(() => (this.#flushing = null)));
  }

  async #flush(): Promise<boolean> {
    const { rounds } = this.#options;
    // Without the calls: those of a long plan for many tasks are more together than the memory of an object.
    const queues = new Map<string, Queue>();
    const rows = this.#sql.exec<{ id: number; target: string; name: string }>(
      "SELECT id, target, call ->> '$.effect' AS name FROM effect ORDER BY id",
    );
    for (const { id, target, name } of rows) {
      const queue = queues.get(target) ?? [];
      queues.set(target, queue);
      queue.push({ id, round: rounds.findIndex((names) => names.includes(name)) });
    }
    for (const round of rounds.keys()) await this.#sendRound(queues, round);
    return this.pending === 0;
  }

  async #sendRound(queues: Map<string, Queue>, round: number): Promise<void> {
    const left = queues.entries();
    const lanes = Array.from({ length: Math.min(CONCURRENT_MAX, queues.size) }, async () => {
      for (const [target, queue] of left)
        if (!(await this.#drain(queue, round))) queues.delete(target);
    });
    await Promise.all(lanes);
  }

  /** Up to the first call of a later round. @returns false: one was not taken, and what is behind it waits for the next flush */
  async #drain(queue: Queue, round: number): Promise<boolean> {
    try {
      for (let next = queue[0]; next !== undefined && next.round <= round; next = queue[0]) {
        const { id } = next;
        const { call } = this.#sql
          .exec<{ call: string }>('SELECT call FROM effect WHERE id = ?', id)
          .one();
        await this.#options.send(JSON.parse(call));
        this.#sql.exec('DELETE FROM effect WHERE id = ?', id);
        queue.shift();
      }
      return true;
    } catch (thrown) {
      log('warn', 'catalog-call-repeats', { thrown });
      return false;
    }
  }
}
