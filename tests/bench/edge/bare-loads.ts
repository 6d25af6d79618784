// The loads of the log's benchmark on a bare object, which gives back what it was sent; knows no edge.

import { Load } from './load.ts';
import { BATCH_RECORDS, READ_BYTES_MAX, recordBatch, times } from './log-loads.ts';
import { requestBytes } from './raw-http.ts';

export class BareLoads implements Disposable {
  readonly #load: Load;
  readonly #bytes = recordBatch();
  readonly #batch = requestBytes('POST', '/', this.#bytes);

  private constructor(load: Load) {
    this.#load = load;
  }

  static async open(url: string): Promise<BareLoads> {
    return new BareLoads(await Load.open(Number(new URL(url).port), 8));
  }

  /** As LogLoads.batches. @returns how many records */
  async batches(count: number): Promise<number> {
    await times(this.#load, this.#batch, count, 1);
    return count * BATCH_RECORDS;
  }

  /** The first so many batches, in pages of 1 MiB, eight at once. @returns how many records */
  async read(count: number): Promise<number> {
    const each = Math.floor(READ_BYTES_MAX / this.#bytes.length);
    let from = 0;
    let bytes = 0;
    await this.#load.run({
      pipelined: 1,
      status: 200,
      next: () => {
        if (from >= count) return null;
        const request = requestBytes('GET', `/?from=${from}&count=${Math.min(each, count - from)}`);
        from += each;
        return request;
      },
      onAnswer: (_, bodyBytes) => {
        bytes += bodyBytes;
      },
    });
    if (bytes !== count * this.#bytes.length) throw new Error(`${bytes} bytes of ${count} batches`);
    return count * BATCH_RECORDS;
  }

  [Symbol.dispose](): void {
    this.#load.close();
  }
}
