// From produce to a push query's row at a given pace: how late rows and acknowledgements come, and what a batch costs the server; knows no peer.

import { request } from 'node:http';
import type { Load } from './load.ts';
import { JSON_TYPE } from './log-loads.ts';
import { processorMs } from './machine.ts';
import { requestBytes } from './raw-http.ts';

/** 5,000 records a second. */
const PACE_RECORDS = 50;
const PACE_EVERY_MS = 10;
const DRAIN_MS_MAX = 120_000;

/** What came of the batches that count. */
export interface Paced {
  /** From when a record was made until its row was read, for each row. */
  readonly lateMs: readonly number[];
  readonly ackMs: readonly number[];
  /** Processor time of the server for each batch: on a busy machine the one figure that says something. */
  readonly batchMs: number;
}

const clockUs = (): number => Math.round(performance.now() * 1_000);

/** A stream, a windowed table over it, and a push query of that: one of a kind. */
export class PacedLoad {
  readonly #load: Load;
  readonly #pid: number;
  readonly #close: () => void;
  #lateMs: number[] = [];
  #rows = 0;
  #sent = 0;
  #countedFromUs = Infinity;

  private constructor(load: Load, url: string, pid: number, opened: () => void) {
    this.#load = load;
    this.#pid = pid;
    const push = request(`${url}/query-stream`, { method: 'POST', headers: JSON_TYPE });
    this.#close = () => void push.destroy();
    push.end(JSON.stringify({ sql: 'SELECT sent FROM paced_t EMIT CHANGES;' }));
    let rest = '';
    push.on('response', (response) => {
      opened();
      response.on('data', (part: Buffer) => {
        const lines = (rest + part.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
      });
    });
  }

  /** Records carry when they were made; each row tells the latest of its group. @param pid of the server */
  static async open(load: Load, url: string, pid: number): Promise<PacedLoad> {
    const ksql = `CREATE STREAM paced (k STRING KEY, sent BIGINT) WITH (KAFKA_TOPIC='paced', PARTITIONS=1, VALUE_FORMAT='JSON');
     CREATE TABLE paced_t AS SELECT k, COUNT(*) AS n, MAX(sent) AS sent FROM paced WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k;`;
    await load.one(requestBytes('POST', '/ksql', JSON.stringify({ ksql }), JSON_TYPE), 200);
    const { promise, resolve } = Promise.withResolvers<void>();
    const paced = new PacedLoad(load, url, pid, resolve);
    await promise;
    return paced;
  }

  #take(line: string): void {
    const sent = Number(/^,?\[(\d+)\],?$/.exec(line)?.[1]);
    if (Number.isNaN(sent)) return;
    this.#rows += 1;
    if (sent >= this.#countedFromUs) this.#lateMs.push((clockUs() - sent) / 1_000);
  }

  /** Sends so many batches at the pace, and waits until each record's row has come. */
  async run(batches: number): Promise<Paced> {
    this.#lateMs = [];
    this.#countedFromUs = clockUs();
    const [processor, start] = [processorMs(this.#pid), performance.now()];
    const acks: Promise<number>[] = [];
    for (let batch = 0; batch < batches; batch++) {
      acks.push(this.#send());
      const nextMs = start + (batch + 1) * PACE_EVERY_MS;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextMs - performance.now())));
    }
    this.#sent += batches * PACE_RECORDS;
    const end = performance.now() + DRAIN_MS_MAX;
    while (this.#rows < this.#sent) {
      if (performance.now() > end) throw new Error(`${this.#rows} of ${this.#sent} rows have come`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const batchMs = (processorMs(this.#pid) - processor) / batches;
    return { lateMs: this.#lateMs, ackMs: await Promise.all(acks), batchMs };
  }

  async #send(): Promise<number> {
    const timestamp = Date.now();
    const records = Array.from({ length: PACE_RECORDS }, (_, i) => {
      return { key: `k${i}`, value: { SENT: clockUs() }, timestamp };
    });
    const bytes = requestBytes(
      'POST',
      '/topics/paced/records',
      JSON.stringify({ records }),
      JSON_TYPE,
    );
    const start = performance.now();
    await this.#load.one(bytes, 200);
    return performance.now() - start;
  }

  close(): void {
    this.#close();
  }
}
