// A page in Chromium, with a database in IndexedDB a case; knows no case.

import { randomUUID } from 'node:crypto';
import { fromWire } from '../../runtime/ports/from-wire.ts';
import { BlankPage } from '../support/blank-page.ts';
import type { Asked, CaseHost, Tenant } from './host.ts';
import { type Json, readJson } from './json.ts';
import type * as page from './page-tenant.ts';
import type { Told } from './page-tenant.ts';
import type { TopicRecord } from './records.ts';

type Properties = Readonly<Record<string, string>>;
type PageModule = typeof page;
type Page = BlankPage<PageModule>;

/** Cases of one page: what each leaves in the browser's process slows it down. */
const CASES_MAX = 200;

export class PageHost implements CaseHost {
  /** On the page's side of a Worker nobody says it. */
  readonly saysEnd = false;
  #page: Page | null = null;
  #cases = 0;

  async tenant(): Promise<Tenant> {
    if (this.#cases++ % CASES_MAX === 0) await this[Symbol.asyncDispose]();
    this.#page ??= await BlankPage.open<PageModule>('/tests/conformance/page-tenant.ts', true);
    const database = `case-${randomUUID()}`;
    await this.#page.call('open', database);
    return new PageTenant(this.#page, database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#page?.[Symbol.asyncDispose]();
    this.#page = null;
  }
}

function valueOf<T>(told: Told<T>): T {
  if ('error' in told) throw fromWire(told.error);
  return told.value;
}

class PageTenant implements Tenant {
  readonly #page: Page;
  readonly #database: string;

  constructor(of: Page, database: string) {
    this.#page = of;
    this.#database = database;
  }

  /** Pages have no other way to make a topic than a stream over it. */
  async createTopic(name: string, partitions: number): Promise<void> {
    const topic = name.replaceAll("'", "''");
    const stream = `CREATE STREAM made_for_its_topic (v BYTES) WITH (KAFKA_TOPIC='${topic}', PARTITIONS=${partitions}, VALUE_FORMAT='KAFKA');`;
    await this.execute(`${stream} DROP STREAM made_for_its_topic;`, {});
  }

  async execute(sql: string, properties: Properties): Promise<readonly Json[]> {
    return valueOf(await this.#page.call('execute', this.#database, sql, properties)).map(readJson);
  }

  async produce(topic: string, record: TopicRecord): Promise<void> {
    valueOf(await this.#page.call('produce', this.#database, topic, record));
  }

  async settle(): Promise<void> {
    valueOf(await this.#page.call('settle', this.#database));
  }

  async ask(sql: string, properties: Properties): Promise<Asked> {
    const question = valueOf(await this.#page.call('ask', this.#database, sql, properties));
    return {
      elements: async () =>
        valueOf(await this.#page.call('elements', this.#database, question)).map(readJson),
    };
  }

  async records(topic: string): Promise<readonly TopicRecord[]> {
    return valueOf(await this.#page.call('records', this.#database, topic));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#page.call('close', this.#database);
  }
}
