// What the tasks of one engine have in common where they read the same partitions; knows no decoder.

import { parseRecordBatch, type RecordBatch } from '../data/record.ts';
import { partitionKey } from '../ports/wakes.ts';
import type { RecordPlace } from './record-columns.ts';
import type { SharedSource } from './shared-values.ts';

/** One per engine. */
export class Sharing {
  /** Readers of JSON by partition, while there are any. */
  readonly #readers = new Map<string, number>();
  /** What several of them read. */
  readonly sources = new Map<string, SharedSource>();
  /** null: nobody has met another reader. */
  #parsed: WeakMap<Uint8Array, RecordBatch> | null = null;

  /** A log that gives the bytes that it keeps, which do not change, gives all readers the same: from now on they are parsed once. */
  remember(): void {
    this.#parsed ??= new WeakMap();
  }

  /** Makes a record batch of fetched bytes, which the log has checked. @throws {PortError} CORRUPT */
  parsed(bytes: Uint8Array): RecordBatch {
    const known = this.#parsed?.get(bytes);
    if (known !== undefined) return known;
    const records = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
    this.#parsed?.set(bytes, records);
    return records;
  }

  /** Counts a reader in (1), out (-1) or not (0): how many there are of the partition. */
  count(place: RecordPlace, by: number): number {
    const name = partitionKey(place);
    const readers = (this.#readers.get(name) ?? 0) + by;
    this.#readers.set(name, readers);
    if (readers === 0) this.#readers.delete(name);
    return readers;
  }
}
