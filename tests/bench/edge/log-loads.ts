// The loads of the log's benchmark on the edge, by name, so that one alone can be measured or profiled; knows no peer.

import { RecordBatchBuilder } from '../../../runtime/data/record-builder.ts';
import { Load } from './load.ts';
import { requestBytes } from './raw-http.ts';

export const JSON_TYPE = { 'Content-Type': 'application/json' };
export const BATCH_RECORDS = 1_000;
export const VALUE_BYTES = 100;
/** A record's value: JSON of 100 bytes. */
export const VALUE = JSON.stringify('x'.repeat(VALUE_BYTES - 2));
export const READ_BYTES_MAX = 1_048_576;
/** Requests at once where each brings many records, as many as share a write to the disk; and pages that are read at once: more of them would only lie in buffers. */
export const FEW = 16;
export const READERS = 4;

/** Sends one request so many times. @returns how long each took, in ms */
export function times(
  load: Load,
  bytes: Buffer,
  count: number,
  pipelined: number,
  status = 200,
): Promise<number[]> {
  let left = count;
  return load.run({ pipelined, status, next: () => (left-- > 0 ? bytes : null) });
}

/** A batch of the loads. */
export function recordBatch(): Uint8Array {
  const builder = new RecordBatchBuilder();
  const value = new TextEncoder().encode(VALUE);
  for (let i = 0; i < BATCH_RECORDS; i++) builder.append(null, value, 1_000_000, []);
  const batch = builder.finish();
  if (batch === null) throw new Error('a batch holds its records');
  return batch;
}

/** Connections to one edge and the topics that the loads write to. */
export class LogLoads implements Disposable {
  readonly #few: Load;
  readonly #many: Load;
  readonly #readers: Load;
  readonly #batch = recordBatch();
  readonly #binary: Buffer;
  readonly #json: Buffer;
  readonly #one: Buffer;
  #batches = 0;

  private constructor(few: Load, many: Load, readers: Load) {
    this.#few = few;
    this.#many = many;
    this.#readers = readers;
    this.#binary = requestBytes('POST', '/topics/batches/partitions/0/batch', this.#batch, {
      'Content-Type': 'application/vnd.millrace.batch',
    });
    const record = `{"value":${VALUE}}`;
    const all = Array.from({ length: BATCH_RECORDS }, () => record).join(',');
    this.#json = requestBytes('POST', '/topics/json/records', `{"records":[${all}]}`, JSON_TYPE);
    this.#one = requestBytes(
      'POST',
      '/topics/singles/records',
      `{"records":[${record}]}`,
      JSON_TYPE,
    );
  }

  static async open(url: string): Promise<LogLoads> {
    const port = Number(new URL(url).port);
    const loads = new LogLoads(
      await Load.open(port, FEW),
      await Load.open(port, 64),
      await Load.open(port, READERS),
    );
    for (const name of ['batches', 'json', 'singles'])
      await loads.#few.one(
        requestBytes('POST', '/topics', JSON.stringify({ name }), JSON_TYPE),
        201,
      );
    return loads;
  }

  /** Appends so many batches of BATCH_RECORDS, FEW at once. @returns how many records */
  async batches(count: number): Promise<number> {
    await times(this.#few, this.#binary, count, 1);
    this.#batches += count;
    return count * BATCH_RECORDS;
  }

  /** The same as JSON. */
  async json(count: number): Promise<number> {
    await times(this.#few, this.#json, count, 1);
    return count * BATCH_RECORDS;
  }

  /** Appends single records, 64 at once. @returns how long each took, in ms */
  singles(count: number): Promise<number[]> {
    return times(this.#many, this.#one, count, 1);
  }

  /**
   * Reads `from .. to` of the batches that `batches` has written, READERS at once.
   * @param pageBytes of a page; what is not named when it is the edge's own
   * @returns how many records
   */
  async read(from: number, to: number, pageBytes = READ_BYTES_MAX): Promise<number> {
    const batchBytes = this.#batch.length;
    const pageRecords = Math.floor(pageBytes / batchBytes) * BATCH_RECORDS;
    const asked = pageBytes === READ_BYTES_MAX ? '' : `&max_bytes=${pageBytes}`;
    const end = Math.min(to, this.#batches) * BATCH_RECORDS;
    let offset = from * BATCH_RECORDS;
    const wanted = end - offset;
    let read = 0;
    await this.#readers.run({
      pipelined: 1,
      status: 200,
      next: () => {
        if (offset >= end) return null;
        const path = `/topics/batches/partitions/0/records?offset=${offset}${asked}`;
        offset += pageRecords;
        return requestBytes('GET', path, null, { Accept: 'application/vnd.millrace.batches' });
      },
      onAnswer: (_, bytes) => {
        read += (bytes / (batchBytes + 16)) * BATCH_RECORDS;
      },
    });
    if (read < wanted) throw new Error(`${read} records where ${wanted} are due`);
    return read;
  }

  [Symbol.dispose](): void {
    this.#few.close();
    this.#many.close();
    this.#readers.close();
  }
}
