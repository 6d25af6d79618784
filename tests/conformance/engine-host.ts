// Engines in this process: in memory, over a SQLite file each, with the partitions spread over threads; knows no case.

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortError } from '../../runtime/base/errors.ts';
import type { Engine } from '../../runtime/engine/engine.ts';
import { open } from '../../runtime/engine/open.ts';
import type { CaseHost, Tenant } from './host.ts';
import type { HostName } from './hosts.ts';
import type { TopicRecord } from './records.ts';
import { TEST_FUNCTIONS } from './test-functions.ts';

const THREADS = 2;

type EngineHostName = Exclude<HostName, 'edge'>;

export function engineHost(name: EngineHostName, kernel: WebAssembly.Module | null): CaseHost {
  return {
    tenant: () => EngineTenant.open(name, kernel),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

class EngineTenant implements Tenant {
  readonly #engine: Engine;
  readonly #file: string | null;

  private constructor(engine: Engine, file: string | null) {
    this.#engine = engine;
    this.#file = file;
  }

  static async open(name: EngineHostName, kernel: WebAssembly.Module | null): Promise<Tenant> {
    const file = name === 'sqlite' ? join(tmpdir(), `millrace-case-${randomUUID()}.db`) : null;
    const engine = await open({
      functions: TEST_FUNCTIONS,
      kernel,
      ...(file === null ? {} : { storage: { file } }),
      ...(name === 'threads' ? { workers: THREADS } : {}),
    });
    return new EngineTenant(engine, file);
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    await this.#engine.execute(
      `CREATE STREAM millrace_topic (v STRING) WITH (KAFKA_TOPIC='${name}', PARTITIONS=${partitions}, VALUE_FORMAT='KAFKA');
       DROP STREAM millrace_topic;`,
    );
  }

  async execute(sql: string, properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#engine.execute(sql, { properties });
  }

  async produce(topic: string, record: TopicRecord): Promise<void> {
    await this.#engine.produce(topic, [record]);
  }

  settle(): Promise<void> {
    return this.#engine.idle();
  }

  async records(topic: string): Promise<readonly TopicRecord[]> {
    const records: TopicRecord[] = [];
    for (let partition = 0; ; partition++) {
      try {
        records.push(...(await this.#engine.topicRecords(topic, { partition })));
      } catch (thrown) {
        const { code } = thrown as Partial<PortError>;
        if (code === 'UNKNOWN_PARTITION' || code === 'UNKNOWN_TOPIC') return records;
        throw thrown;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
    if (this.#file === null) return;
    for (const ending of ['', '-wal', '-shm']) rmSync(this.#file + ending, { force: true });
  }
}
