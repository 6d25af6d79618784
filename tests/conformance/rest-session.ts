// One engine in memory that carries a case of the REST suite out, and its answers as clients read them; knows no expectation.

import { PortError } from '../../runtime/base/errors.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import { type Engine, openEngine } from '../../runtime/engine/engine.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import type { QueryRows } from '../../runtime/engine/query-rows.ts';
import { answerText, rowTexts } from '../../edge/rows.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import type { Case } from './case.ts';
import { type Json, readJson } from './json.ts';
import { inputRecord, type TopicRecord } from './records.ts';
import type { RunOptions } from './run-case.ts';
import { parsed, Refusal, topicsOf } from './script.ts';
import { TEST_FUNCTIONS } from './test-functions.ts';

/** An engine with the topics of the case. */
export class RestSession implements AsyncDisposable {
  readonly #case: Case;
  readonly #engine: Engine;
  readonly #properties: Readonly<Record<string, string>>;

  private constructor(of: Case, engine: Engine, properties: Readonly<Record<string, string>>) {
    this.#case = of;
    this.#engine = engine;
    this.#properties = properties;
  }

  static async open(of: Case, options: RunOptions): Promise<RestSession> {
    const host = memoryHost({ kernel: options.kernel });
    const engine = await openEngine({ host, functions: TEST_FUNCTIONS });
    for (const [name, { partitions }] of topicsOf(of, of.statements.flatMap(readable), of.inputs)) {
      const kept = { retentionMs: null, compacted: false, internal: false };
      await host.log.create({ name, partitions, ...kept });
    }
    const properties = {
      'auto.offset.reset': 'earliest',
      ...Object.fromEntries(of.properties),
      'millrace.path': options.path,
      'millrace.fuse': options.fuse,
    };
    return new RestSession(of, engine, properties);
  }

  /** Carries statements out as one text. @throws {StatementError} */
  async execute(sql: string): Promise<readonly Json[]> {
    const entities = await this.#engine.execute(sql, { properties: this.#properties });
    return entities.map((entity) => readJson(JSON.stringify(entity)));
  }

  /** Appends the inputs of the case, each topic in its order, and waits until the persistent queries have taken them in. */
  async feed(): Promise<void> {
    for (const input of this.#case.inputs) {
      const { key, value, timestamp, headers } = inputRecord(input, this.#sourceOf(input.topic));
      await this.#engine.produce(input.topic, [{ key, value, timestamp, headers }]);
    }
    await this.#engine.idle();
  }

  /** Asks; for a push query, once its place in the topics is settled. @throws {StatementError} */
  ask(sql: string): Promise<QueryRows> {
    return this.#engine.query(sql, { properties: this.#properties });
  }

  /** The records of a topic, one partition after the other. */
  async records(topic: string): Promise<readonly TopicRecord[]> {
    const records: TopicRecord[] = [];
    const { partitions } = this.#sourceOf(topic);
    for (let partition = 0; partition < partitions; partition++) {
      records.push(...(await this.#engine.topicRecords(topic, { partition })));
    }
    return records;
  }

  sourceOf(topic: string): Source {
    return this.#sourceOf(topic);
  }

  #sourceOf(topic: string): Source {
    for (const source of this.#engine.catalog.sources.values()) {
      if (source.topic === topic) return source;
    }
    throw new PortError('UNKNOWN_TOPIC', `no stream or table is over the topic ${topic}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine.close();
  }
}

/** What a statement says; nothing where it cannot be read: it says so itself when it is run. */
function readable(sql: string): readonly Statement[] {
  try {
    return parsed(sql);
  } catch (thrown) {
    if (thrown instanceof Refusal) return [];
    throw thrown;
  }
}

/**
 * All elements of an answer: the header, the rows, what is said at the end. A push query without an end of its own is ended once it has
 * taken in all there is.
 */
export async function elementsOf(rows: QueryRows): Promise<readonly Json[]> {
  const texts = [JSON.stringify({ header: { schema: answerText(rows) } })];
  const read = async (): Promise<void> => {
    for await (const batch of rows.batches()) {
      for (const { columns, isDelete } of rowTexts(batch)) {
        texts.push(`{"row":{"columns":${columns}${isDelete ? ',"tombstone":true' : ''}}}`);
      }
    }
  };
  const reading = read();
  if (rows.kind === 'push') await Promise.race([reading, rows.idle()]);
  if (rows.kind === 'push' && rows.finalMessage === null) await rows.close();
  await reading;
  const { finalMessage } = rows;
  if (finalMessage !== null) texts.push(JSON.stringify({ finalMessage }));
  return texts.map(readJson);
}
