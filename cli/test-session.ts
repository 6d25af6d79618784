// Runs the statements of one SQL test on an engine of its own in memory; knows no file's cases and no verdict.

import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { AnalyzeOptions } from '../runtime/analyze/analysis.ts';
import { StatementError } from '../runtime/base/errors.ts';
import { readProperties } from '../runtime/catalog/properties.ts';
import { FORMATS } from '../runtime/formats/formats.ts';
import { builtinRegistry } from '../runtime/functions/builtins.ts';
import { TestDriver } from '../runtime/memory/test-driver.ts';
import type { CreateSource, Statement } from '../runtime/sql/ast.ts';
import { parseScript } from '../runtime/sql/parser.ts';
import { type AssertedRecord, assertRecord, assertSource } from './assertions.ts';
import { inPlace } from './script.ts';

const REGISTRY = builtinRegistry();

/** What has come into a topic, in the order of the statements that made it. */
interface Topic {
  readonly records: AssertedRecord[];
  /** By partition: how many of its records are among them. */
  readonly read: number[];
  /** The next record that is to be asserted. */
  next: number;
}

/** A statement that failed, and where it stands. */
export class StatementFailure extends Error {
  readonly path: string;
  readonly line: number;
  constructor(thrown: unknown, path: string, line: number) {
    super('a statement failed', { cause: thrown });
    this.path = path;
    this.line = line;
  }
}

/** One test's engine, topics and cursors. */
export class TestSession implements AsyncDisposable {
  readonly #driver: TestDriver;
  /** By incarnation: one that is made anew is another one. */
  readonly #topics = new Map<string, Topic>();
  /** Files that RUN SCRIPT is in. */
  readonly #within: string[] = [];

  constructor(kernel: WebAssembly.Module | null) {
    // A query begins with what comes after it, as in ksqlDB's own runner; a test may SET it.
    const properties = { 'auto.offset.reset': 'latest' };
    this.#driver = new TestDriver({ kernel, properties });
  }

  /**
   * Statement by statement, each to its end; what stands before an error of syntax is done first.
   * @param path of the file that the text is of: RUN SCRIPT looks beside it
   * @throws {StatementFailure}
   */
  async run(path: string, sql: string): Promise<void> {
    const { statements, errors } = parseScript(sql);
    const [error] = errors;
    const end = error?.position?.line ?? Infinity;
    for (const statement of statements) {
      if (statement.at.line >= end) break;
      try {
        await this.#statement(statement, path);
      } catch (thrown) {
        if (thrown instanceof StatementFailure) throw thrown;
        throw new StatementFailure(thrown, path, statement.at.line);
      }
    }
    if (error !== undefined) throw new StatementFailure(error, path, end);
  }

  async #statement(statement: Statement, path: string): Promise<void> {
    switch (statement.kind) {
      case 'Define':
      case 'Undefine':
        // The parser has put variables in place already.
        return;
      case 'RunScript':
        return this.#script(resolve(dirname(path), statement.path), statement);
      case 'AssertSource':
        assertSource(statement, await this.#analyzeOptions());
        return;
      case 'AssertValues':
      case 'AssertTombstone': {
        const topics = await this.#driver.durable.log.list();
        assertRecord(statement, await this.#analyzeOptions(), (name) => {
          const { incarnation = '' } = topics.find((one) => one.name === name) ?? {};
          const topic = this.#topics.get(incarnation);
          return topic?.records[topic.next++] ?? null;
        });
        return;
      }
      default:
        if (statement.kind === 'CreateSource') await this.#createTopic(statement);
        await this.#driver.execute(inPlace(statement));
        await this.#driver.settle();
        await this.#readTopics();
    }
  }

  async #script(path: string, { at }: Statement): Promise<void> {
    if (this.#within.includes(path)) {
      throw new StatementError('INVALID', 'the script runs itself', at);
    }
    let sql: string;
    try {
      sql = readFileSync(path, 'utf8');
    } catch (thrown) {
      throw new StatementError('INVALID', `the script cannot be read: ${String(thrown)}`, at);
    }
    this.#within.push(path);
    // A path that is shown is one from where the command stands.
    await this.run(relative('', path), sql);
    this.#within.pop();
  }

  async #analyzeOptions(): Promise<AnalyzeOptions> {
    return {
      catalog: await this.#driver.catalog(),
      registry: REGISTRY,
      formats: FORMATS,
      properties: new Map(),
      queryNumber: 0,
      callContext: { now: this.#driver.clock.now(), random: () => 0 },
    };
  }

  /** A topic that no statement gives partitions has one: tests write no WITH (PARTITIONS = ...) for it. */
  async #createTopic({ name, properties }: CreateSource): Promise<void> {
    const { topic, partitions } = readProperties(properties, 'create');
    if (partitions !== null) return;
    const { log } = this.#driver.durable;
    const named = topic?.value ?? name.text;
    if ((await log.list()).some((one) => one.name === named)) return;
    await log.create({
      name: named,
      partitions: 1,
      retentionMs: null,
      compacted: false,
      internal: false,
    });
  }

  async #readTopics(): Promise<void> {
    for (const { name, partitions, incarnation } of await this.#driver.durable.log.list()) {
      const topic = this.#topics.get(incarnation) ?? { records: [], read: [], next: 0 };
      this.#topics.set(incarnation, topic);
      for (let partition = 0; partition < partitions; partition++) {
        const all = await this.#driver.records(name, partition);
        topic.records.push(...all.slice(topic.read[partition] ?? 0));
        topic.read[partition] = all.length;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
  }
}
