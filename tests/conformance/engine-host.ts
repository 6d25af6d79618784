// Engines in this process: in memory, over a SQLite file each, with the partitions spread over threads; knows no case.

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../runtime/engine/engine.ts';
import type { QueryRows } from '../../runtime/engine/query-rows.ts';
import { memoryHost } from '../../runtime/memory/memory-host.ts';
import { systemClock } from '../../runtime/memory/system-clock.ts';
import type { Host } from '../../runtime/ports/host.ts';
import { sqliteHost } from '../../runtime/sqlite/sqlite-host.ts';
import { threads } from '../../runtime/threads/threads.ts';
import { elementTexts, headerText } from './elements.ts';
import type { Asked, CaseHost, Tenant } from './host.ts';
import type { HostName } from './hosts.ts';
import { type Json, readJson } from './json.ts';
import type { TopicRecord } from './records.ts';
import { TEST_FUNCTIONS } from './test-functions.ts';

const THREADS = 2;

type EngineHostName = Exclude<HostName, 'edge' | 'page'>;

export function engineHost(name: EngineHostName, kernel: WebAssembly.Module | null): CaseHost {
  return {
    saysEnd: true,
    tenant: () => EngineTenant.open(name, kernel),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

class EngineTenant implements Tenant {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #file: string | null;

  private constructor(engine: Engine, host: Host, file: string | null) {
    this.#engine = engine;
    this.#host = host;
    this.#file = file;
  }

  static async open(name: EngineHostName, kernel: WebAssembly.Module | null): Promise<Tenant> {
    const file = name === 'sqlite' ? join(tmpdir(), `millrace-case-${randomUUID()}.db`) : null;
    const plain =
      file === null
        ? memoryHost({ kernel })
        : await sqliteHost({ file, clock: systemClock, kernel, commitIntervalMs: 0 });
    const host: Host = name === 'threads' ? { ...plain, workers: threads } : plain;
    const workers = name === 'threads' ? THREADS : 1;
    const engine = await openEngine({ host, functions: TEST_FUNCTIONS, workers });
    return new EngineTenant(engine, host, file);
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    const kept = { retentionMs: null, compacted: false, internal: false };
    await this.#host.log.create({ name, partitions, ...kept });
  }

  async execute(
    sql: string,
    properties: Readonly<Record<string, string>>,
  ): Promise<readonly Json[]> {
    const entities = await this.#engine.execute(sql, { properties });
    return entities.map((entity) => readJson(JSON.stringify(entity)));
  }

  async produce(topic: string, record: TopicRecord): Promise<void> {
    await this.#engine.produce(topic, [record]);
  }

  settle(): Promise<void> {
    return this.#engine.idle();
  }

  async ask(sql: string, properties: Readonly<Record<string, string>>): Promise<Asked> {
    const rows = await this.#engine.query(sql, { properties });
    return { elements: () => elementsOf(rows) };
  }

  async records(topic: string): Promise<readonly TopicRecord[]> {
    const known = (await this.#host.log.list()).find(({ name }) => name === topic);
    const records: TopicRecord[] = [];
    for (let partition = 0; partition < (known?.partitions ?? 0); partition++) {
      records.push(...(await this.#engine.topicRecords(topic, { partition })));
    }
    return records;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
    if (this.#file === null) return;
    for (const ending of ['', '-wal', '-shm']) rmSync(this.#file + ending, { force: true });
  }
}

async function elementsOf(rows: QueryRows): Promise<readonly Json[]> {
  const texts = [headerText(rows)];
  const read = async (): Promise<void> => {
    for await (const batch of rows.batches()) texts.push(...elementTexts(batch));
  };
  const reading = read();
  if (rows.kind === 'push') await Promise.race([reading, rows.idle()]);
  if (rows.kind === 'push' && rows.finalMessage === null) await rows.close();
  await reading;
  const { finalMessage } = rows;
  if (finalMessage !== null) texts.push(JSON.stringify({ finalMessage }));
  return texts.map(readJson);
}
