// A tenant that carries a case of the REST suite out; knows no host and no expectation.

import type { Source } from '../../runtime/catalog/source.ts';
import type { Statement } from '../../runtime/sql/ast.ts';
import type { Case } from './case.ts';
import type { Asked, CaseHost, Tenant } from './host.ts';
import type { Json } from './json.ts';
import { inputRecord, type TopicRecord } from './records.ts';
import type { RunOptions } from './run-case.ts';
import { parsed, propertiesOf, Refusal, Session, sourceOver, topicsOf } from './script.ts';

/** A tenant with the topics of the case. */
export class RestSession implements AsyncDisposable {
  readonly #case: Case;
  readonly #tenant: Tenant;
  readonly #properties: Readonly<Record<string, string>>;
  /** What the statements have made, as it is known without asking. */
  readonly #session: Session;

  private constructor(
    of: Case,
    tenant: Tenant,
    properties: Readonly<Record<string, string>>,
    session: Session,
  ) {
    this.#case = of;
    this.#tenant = tenant;
    this.#properties = properties;
    this.#session = session;
  }

  static async open(
    of: Case,
    host: CaseHost,
    way: Pick<RunOptions, 'path' | 'fuse'>,
  ): Promise<RestSession> {
    const tenant = await host.tenant();
    const topics = topicsOf(of, of.statements.flatMap(readable), of.inputs);
    for (const [name, { partitions }] of topics) await tenant.createTopic(name, partitions);
    return new RestSession(of, tenant, propertiesOf(of, way), new Session(new Map(), topics));
  }

  /** Carries statements out as one text. @throws {StatementError} */
  async execute(sql: string): Promise<readonly Json[]> {
    const answers = await this.#tenant.execute(sql, this.#properties);
    for (const statement of parsed(sql)) this.#session.run(statement);
    return answers;
  }

  /** Appends the inputs of the case, each topic in its order, and waits until the persistent queries have taken them in. */
  async feed(): Promise<void> {
    for (const input of this.#case.inputs) {
      await this.#tenant.produce(input.topic, inputRecord(input, this.sourceOf(input.topic)));
    }
    await this.#tenant.settle();
  }

  /** @throws {StatementError} */
  ask(sql: string): Promise<Asked> {
    return this.#tenant.ask(sql, this.#properties);
  }

  /** The records of a topic, one partition after the other. */
  records(topic: string): Promise<readonly TopicRecord[]> {
    return this.#tenant.records(topic);
  }

  sourceOf(topic: string): Source {
    return sourceOver(this.#session.catalog, topic);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#tenant[Symbol.asyncDispose]());
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
