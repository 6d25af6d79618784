// What a processor object knows of its task in SQLite: the plan, whether there may be work, how it ended; synchronous.

import type { Plan } from '../../runtime/plan/step.ts';
import type { TaskName } from '../../runtime/task/topology.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS process(
  id INTEGER PRIMARY KEY CHECK (id = 0), tenant TEXT NOT NULL, object TEXT NOT NULL, task TEXT NOT NULL, plan TEXT NOT NULL,
  pending INTEGER NOT NULL, subscribed INTEGER NOT NULL, error TEXT);
`;

/** The task of this object. */
export interface Process {
  readonly tenant: string;
  /** This object's own name. */
  readonly object: string;
  readonly task: TaskName;
  readonly plan: Plan;
  /** true: there may be records to read; the alarm is armed, or the task is running. */
  readonly pending: boolean;
  /** true: every input partition knows this object. */
  readonly subscribed: boolean;
  /** Why the task has ended for good; null while it has not. */
  readonly error: string | null;
}

export type ProcessorSpec = Pick<Process, 'tenant' | 'object' | 'task' | 'plan'>;

interface ProcessRow {
  [column: string]: SqlStorageValue;
  tenant: string;
  object: string;
  task: string;
  plan: string;
  pending: number;
  subscribed: number;
  error: string | null;
}

export class ProcessorTables {
  readonly #sql: SqlStorage;
  /** The plan as text and parsed: it never changes under one text. */
  #parsed: { readonly text: string; readonly plan: Plan } | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  /** null when no task was started here, or it was removed. */
  process(): Process | null {
    const row = this.#sql.exec<ProcessRow>('SELECT * FROM process').toArray()[0];
    if (row === undefined) return null;
    return {
      tenant: row.tenant,
      object: row.object,
      task: JSON.parse(row.task) as TaskName,
      plan: this.#plan(row.plan),
      pending: row.pending === 1,
      subscribed: row.subscribed === 1,
      error: row.error,
    };
  }

  #plan(text: string): Plan {
    if (this.#parsed?.text !== text) this.#parsed = { text, plan: JSON.parse(text) as Plan };
    return this.#parsed.plan;
  }

  /** Notes the task, to be run; a repeat changes nothing. */
  start({ tenant, object, task, plan }: ProcessorSpec): void {
    this.#sql.exec(
      'INSERT OR IGNORE INTO process VALUES (0, ?, ?, ?, ?, 1, 0, NULL)',
      tenant,
      object,
      JSON.stringify(task),
      JSON.stringify(plan),
    );
  }

  remove(): void {
    this.#sql.exec('DELETE FROM process');
  }

  setPending(pending: boolean): void {
    this.#sql.exec('UPDATE process SET pending = ?', pending ? 1 : 0);
  }

  setSubscribed(): void {
    this.#sql.exec('UPDATE process SET subscribed = 1');
  }

  setError(error: string): void {
    this.#sql.exec('UPDATE process SET error = ?, pending = 0', error);
  }
}
