// What a processor object knows of its task in SQLite: the plan, whether there may be work, how it ended; synchronous.

import { PortError } from '../../runtime/base/errors.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { TaskName } from '../../runtime/task/topology.ts';
import type { Commanded } from '../env.ts';
import type { Ending } from './after-restore.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS process(
  id INTEGER PRIMARY KEY CHECK (id = 0), tenant TEXT NOT NULL, object TEXT NOT NULL, task TEXT NOT NULL, plan TEXT NOT NULL,
  pending INTEGER NOT NULL, subscribed INTEGER NOT NULL, error TEXT);
CREATE TABLE IF NOT EXISTS command(
  id INTEGER PRIMARY KEY CHECK (id = 0), sequence INTEGER NOT NULL, planned INTEGER NOT NULL, paused INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ending(topic TEXT NOT NULL, partition INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
`;

/** The task of this object. */
export interface Process {
  readonly tenant: string;
  /** This object's own name. */
  readonly object: string;
  readonly task: TaskName;
  readonly plan: Plan;
  /** Number of the statement that the plan is of. */
  readonly planned: number;
  /** true: it keeps its state and takes nothing in. */
  readonly paused: boolean;
  /** true: there may be records to read; the alarm is armed, or the task is running. */
  readonly pending: boolean;
  /** true: every input partition knows this object. */
  readonly subscribed: boolean;
  /** Why the task has ended for good; null while it has not. */
  readonly error: string | null;
}

/** What a processor is told to run; `planned` is the number of the statement that says so. */
export interface ProcessorSpec extends Pick<
  Process,
  'tenant' | 'object' | 'task' | 'plan' | 'planned' | 'paused'
> {
  /** Number of the command, where that is not the statement's. */
  readonly sequence?: number | undefined;
}

interface StandingRow {
  [column: string]: SqlStorageValue;
  pending: number;
  subscribed: number;
  error: string | null;
  sequence: number;
  planned: number;
  paused: number;
}

interface SpecRow {
  [column: string]: SqlStorageValue;
  tenant: string;
  object: string;
  task: string;
  plan: string;
}

type Spec = Pick<Process, 'tenant' | 'object' | 'task' | 'plan'>;

export class ProcessorTables {
  readonly #sql: SqlStorage;
  /** What the command of that number has left: only a command changes it. */
  #spec: { readonly sequence: number; readonly spec: Spec } | null = null;
  /** As the tables have it; undefined: they must be read. Nothing reads it within a transaction that writes. */
  #known: Process | null | undefined = undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  /** null when no task was started here, or it was removed. */
  process(): Process | null {
    return (this.#known ??= this.#stored());
  }

  /** As `process`, under the plan of the statement of that number. @throws {PortError} UNAVAILABLE when it is under another one */
  planned(number: number): Process | null {
    const process = this.process();
    if (process === null || process.planned === number) return process;
    throw new PortError('UNAVAILABLE', `query ${process.task.query} is being replaced`);
  }

  #stored(): Process | null {
    const row = this.#sql
      .exec<StandingRow>(
        'SELECT pending, subscribed, error, sequence, planned, paused FROM process JOIN command USING (id)',
      )
      .toArray()[0];
    if (row === undefined) return null;
    if (this.#spec?.sequence !== row.sequence)
      this.#spec = { sequence: row.sequence, spec: this.#read() };
    return {
      ...this.#spec.spec,
      planned: row.planned,
      paused: row.paused === 1,
      pending: row.pending === 1,
      subscribed: row.subscribed === 1,
      error: row.error,
    };
  }

  #read(): Spec {
    const row = this.#sql.exec<SpecRow>('SELECT tenant, object, task, plan FROM process').one();
    const { tenant, object } = row;
    const task = JSON.parse(row.task) as TaskName;
    return { tenant, object, task, plan: JSON.parse(row.plan) as Plan };
  }

  /** Number of the last command that was carried out, also when that has removed the task; 0: none was. */
  get commanded(): number {
    const rows = this.#sql.exec<{ sequence: number }>('SELECT sequence FROM command').toArray();
    return rows[0]?.sequence ?? 0;
  }

  get told(): Commanded {
    return { command: this.commanded, planned: this.process()?.planned ?? 0 };
  }

  /** Notes the task, or another plan of it, to be run from its last commit on. */
  start({ tenant, object, task, plan, planned, paused, sequence }: ProcessorSpec): void {
    this.#command(sequence ?? planned, planned, paused);
    this.#write(
      'INSERT OR REPLACE INTO process VALUES (0, ?, ?, ?, ?, ?, 0, NULL)',
      tenant,
      object,
      JSON.stringify(task),
      JSON.stringify(plan),
      paused ? 0 : 1,
    );
  }

  /** What had ended with an error is to be tried again when it goes on. */
  setPaused(paused: boolean, sequence: number): void {
    this.#write('UPDATE command SET sequence = ?, paused = ?', sequence, paused ? 1 : 0);
    if (paused) this.#write('UPDATE process SET pending = 0');
    else this.#write('UPDATE process SET pending = 1, error = NULL');
  }

  /** Forgets the task, but for the command that took it away. */
  remove(sequence: number): void {
    this.#command(sequence, 0, false);
    this.#write('DELETE FROM process');
    this.setEndings([]);
  }

  #command(sequence: number, planned: number, paused: boolean): void {
    this.#write(
      'INSERT OR REPLACE INTO command VALUES (0, ?, ?, ?)',
      sequence,
      planned,
      paused ? 1 : 0,
    );
  }

  setPending(pending: boolean): void {
    this.#write('UPDATE process SET pending = ?', pending ? 1 : 0);
  }

  setSubscribed(subscribed = true): void {
    this.#write('UPDATE process SET subscribed = ?', subscribed ? 1 : 0);
  }

  /** Inputs that went on otherwise before, from that offset on: the task stops there for a moment. */
  endings(): readonly Ending[] {
    return this.#sql
      .exec<{ topic: string; partition: number; end: number }>('SELECT * FROM ending')
      .toArray()
      .map(({ topic, partition, end }) => ({ at: { topic, partition }, end }));
  }

  setEndings(endings: readonly Ending[]): void {
    this.#sql.exec('DELETE FROM ending');
    for (const { at, end } of endings)
      this.#sql.exec('INSERT INTO ending VALUES (?, ?, ?)', at.topic, at.partition, end);
  }

  setError(error: string): void {
    this.#write('UPDATE process SET error = ?, pending = 0', error);
  }

  #write(statement: string, ...values: readonly SqlStorageValue[]): void {
    this.#known = undefined;
    this.#sql.exec(statement, ...values);
  }
}
