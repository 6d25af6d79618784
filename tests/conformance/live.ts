// Runs the statements of an SQL test one by one, live: what INSERT writes goes through all queries at once; knows no file of cases and no verdict.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { InsertValuesAnalysis } from '../../runtime/analyze/analysis.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import { parse } from '../../runtime/sql/parser.ts';
import { assertRecord, assertSource } from '../../cli/assertions.ts';
import { Driver } from './driver.ts';
import { insertedRecord, type TopicRecord } from './records.ts';
import { REGISTRY, Session } from './script.ts';

/** What RUN SCRIPT runs, whatever its path: a stream and a copy of it. */
const SCRIPT = readFileSync(resolve(import.meta.dirname, '../cases/foo-to-bar.sql'), 'utf8');

export interface LiveOptions {
  readonly properties: ReadonlyMap<string, string>;
  readonly kernel: WebAssembly.Module | null;
  /** Throws every task away after each record and starts it again. */
  readonly restarts: boolean;
}

/** One case's queries, topics and cursors. */
export class Live implements AsyncDisposable {
  readonly #options: LiveOptions;
  readonly #session: Session;
  /** By the id of their query, in the order of creation. */
  readonly #drivers = new Map<string, Driver>();
  readonly #records = new Map<string, TopicRecord[]>();
  /** The next record of each topic that is to be asserted. */
  readonly #cursors = new Map<string, number>();

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#session = new Session(
      new Map([['auto.offset.reset', 'earliest'], ...options.properties]),
    );
  }

  /** @throws {StatementError}, {AssertionFailure}, {SourceDiffers} */
  async run(statement: Statement): Promise<void> {
    const { options } = this.#session;
    switch (statement.kind) {
      case 'RunScript':
        for (const one of parse(SCRIPT)) await this.run(one);
        return;
      case 'AssertSource':
        assertSource(statement, options);
        return;
      case 'AssertValues':
      case 'AssertTombstone':
        assertRecord(statement, options, (topic) => this.#next(topic));
        return;
      default:
        await this.#execute(statement);
    }
  }

  #next(topic: string): TopicRecord | null {
    const index = this.#cursors.get(topic) ?? 0;
    this.#cursors.set(topic, index + 1);
    return this.#records.get(topic)?.[index] ?? null;
  }

  async #execute(statement: Statement): Promise<void> {
    const analysis = this.#session.run(statement);
    switch (analysis.kind) {
      case 'query':
        return this.#open(analysis.id);
      case 'createSource':
        if (analysis.query !== null) await this.#open(analysis.query.id);
        return;
      case 'dropSource':
        return this.#end(analysis.terminates === null ? [] : [analysis.terminates]);
      case 'terminate':
        return this.#end(analysis.queries);
      case 'insertValues':
        return this.#insert(analysis);
      default:
    }
  }

  /** A query that is known already goes on with its state. */
  async #open(id: string): Promise<void> {
    const plan = this.#session.plan(id);
    if (plan === undefined) return;
    const known = this.#drivers.get(id);
    if (known !== undefined) await known.replace(plan);
    else this.#drivers.set(id, await Driver.open(plan, REGISTRY, this.#options.kernel));
  }

  async #end(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.#drivers.get(id)?.close();
      this.#drivers.delete(id);
    }
  }

  async #insert(analysis: InsertValuesAnalysis): Promise<void> {
    const { source } = analysis;
    const record = insertedRecord({ source, analysis });
    const timestamp = analysis.rowtime ?? Date.now();
    await this.#push(source.topic, { ...record, timestamp }, []);
  }

  /** Depth first: what a query makes of the record goes on before the next query gets the record. */
  async #push(topic: string, record: TopicRecord, path: readonly string[]): Promise<void> {
    if (path.includes(topic)) throw new TypeError(`${[...path, topic].join(' > ')} is a circle`);
    this.#records.set(topic, [...(this.#records.get(topic) ?? []), record]);
    for (const driver of this.#drivers.values()) {
      if (!driver.sources.includes(topic)) continue;
      const made = await driver.pipe(topic, [record]);
      if (this.#options.restarts) await driver.restart();
      const { sink } = driver;
      if (sink === null) continue;
      for (const one of made) await this.#push(sink, one, [...path, topic]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end([...this.#drivers.keys()]);
  }
}
