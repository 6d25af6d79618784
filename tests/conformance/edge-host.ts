// The edge on plain workerd, over HTTP, a tenant a case; knows no case.

import { connect } from '../../runtime/client/index.ts';
import { errorOf } from '../../runtime/client/errors.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { COMES_MS } from '../support/waits.ts';
import { Workerd } from '../support/workerd.ts';
import type { Asked, CaseHost, Tenant } from './host.ts';
import { type Json, readJson } from './json.ts';
import type { TopicRecord } from './records.ts';

/** Tenants of one workerd: each leaves its objects and their files, and more than that slow it down. */
const TENANTS_MAX = 100;
/** Rows that are under way come within it, where whoever sends them has answered meanwhile: a process that stands still is quiet too. */
const QUIET_MS = 400;
const DELIMITED = 'application/vnd.ksqlapi.delimited.v1';

type Client = ReturnType<typeof connect>;

export class EdgeHost implements CaseHost {
  readonly saysEnd = true;
  #workerd: Workerd | null = null;
  #tenants = 0;

  async tenant(): Promise<Tenant> {
    if (this.#tenants % TENANTS_MAX === 0) await this.#end();
    this.#workerd ??= await Workerd.start('tests/workers/apps/conformance.ts');
    this.#tenants += 1;
    return new EdgeTenant(this.#workerd.url, `case-${this.#tenants}`);
  }

  async #end(): Promise<void> {
    await this.#workerd?.stop();
    this.#workerd = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}

class EdgeTenant implements Tenant {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #client: Client;
  readonly #producer: ReturnType<Client['producer']>;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { Authorization: `Bearer ${token}` };
    this.#client = connect({ url, token });
    this.#producer = this.#client.producer({ lingerMs: 0 });
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    await this.#client.topics.create({ name, partitions });
  }

  async execute(
    sql: string,
    properties: Readonly<Record<string, string>>,
  ): Promise<readonly Json[]> {
    const entities = await this.#client.execute(sql, { properties });
    return entities.map((entity) => readJson(JSON.stringify(entity)));
  }

  async produce(topic: string, record: TopicRecord): Promise<void> {
    await this.#producer.send(topic, record);
  }

  /** Objects are asked one after the other: only what has not moved between two looks is at rest. */
  async settle(): Promise<void> {
    const endMs = performance.now() + COMES_MS;
    for (let last = null; ;) {
      const now = await this.#atRest();
      if (now !== null && now === last) return;
      if (performance.now() > endMs) throw new Error('the queries did not come to rest');
      last = now;
    }
  }

  /** All high watermarks; null while a task has something to do. */
  async #atRest(): Promise<string | null> {
    const response = await fetch(`${this.#url}/metrics`, { headers: this.#headers });
    const text = await response.text();
    if (response.status !== 200 || response.headers.has('Link')) {
      throw new Error(`/metrics: ${response.status} ${text}`);
    }
    const samples = text.split('\n').filter((line) => line.startsWith('millrace_'));
    const of = (family: string) => samples.filter((line) => line.startsWith(`${family}{`));
    const stopped = of('millrace_stream_task_running').find((line) => !line.endsWith(' 1'));
    if (stopped !== undefined) throw new Error(`a query has ended: ${stopped}`);
    const waiting = [
      ...of('millrace_stream_task_record_lag'),
      ...of('millrace_stream_task_outbox_pending_appends'),
    ];
    if (waiting.some((line) => !line.endsWith(' 0'))) return null;
    return of('millrace_partition_high_watermark_offset').join('\n');
  }

  async ask(ksql: string, streamsProperties: Readonly<Record<string, string>>): Promise<Asked> {
    const ending = new AbortController();
    const response = await fetch(`${this.#url}/query`, {
      method: 'POST',
      headers: { ...this.#headers, 'Content-Type': 'application/json', Accept: DELIMITED },
      body: JSON.stringify({ ksql, streamsProperties }),
      signal: ending.signal,
    });
    const { body } = response;
    if (!response.ok || body === null) throw errorOf(response.status, await response.json());
    return { elements: () => this.#elements(body, ending) };
  }

  /** A push query has no end: it is over when the queries are at rest and no row has come for a while. */
  async #elements(body: ReadableStream<Uint8Array>, ending: AbortController): Promise<Json[]> {
    let text = '';
    let cameMs = performance.now();
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const part of body) {
        text += decoder.decode(part, { stream: true });
        cameMs = performance.now();
      }
    };
    const reading = read().catch((thrown: unknown) => {
      if (!ending.signal.aborted) throw thrown;
    });
    const quiet = async (): Promise<void> => {
      await this.settle();
      do {
        await pause(QUIET_MS / 4);
        await this.settle();
      } while (performance.now() - cameMs < QUIET_MS);
    };
    await Promise.race([reading, quiet()]);
    ending.abort();
    await reading;
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(readJson);
  }

  async records(topic: string): Promise<readonly TopicRecord[]> {
    const known = await this.#client.topics.list();
    if (!known.some(({ name }) => name === topic)) return [];
    const { bounds } = await this.#client.topics.describe(topic);
    const records: TopicRecord[] = [];
    for (const { partition, start, highWatermark } of bounds) {
      if (start === highWatermark) continue;
      for await (const { offset, ...record } of this.#client.consumer({
        topic,
        partition,
        from: 'earliest',
      })) {
        records.push(record);
        if (offset === highWatermark - 1) break;
      }
    }
    return records;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#producer.close();
  }
}
