// The loads of the log's benchmark on a bare object, which gives back what it was sent; knows no edge.

import { Load } from './load.ts';
import { BATCH_RECORDS, FEW, READ_BYTES_MAX, READERS, recordBatch, times } from './log-loads.ts';
import { requestBytes } from './raw-http.ts';

export class BareLoads implements Disposable {
  readonly #few: Load;
  readonly #readers: Load;
  readonly #bytes = recordBatch();
  readonly #batch = requestBytes('POST', '/', this.#bytes);

  private constructor(few: Load, readers: Load) {
    this.#few = few;
    this.#readers = readers;
  }

  static async open(url: string): Promise<BareLoads> {
    const port = Number(new URL(url).port);
    return new BareLoads(await Load.open(port, FEW), await Load.open(port, READERS));
  }

  /** As LogLoads.batches. @returns how many records */
  async batches(count: number): Promise<number> {
    await times(this.#few, this.#batch, count, 1);
    return count * BATCH_RECORDS;
  }

  /** The first so many batches, READERS at once. @returns how many records */
  async read(count: number, pageBytes = READ_BYTES_MAX): Promise<number> {
    const each = Math.floor(pageBytes / this.#bytes.length);
    let from = 0;
    let bytes = 0;
    await this.#readers.run({
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
    this.#few.close();
    this.#readers.close();
  }
}
