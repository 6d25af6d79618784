// How full a partition object is, and when it takes no more: before the platform says so in the middle of a write. Knows no record.

import { PortError } from '../../runtime/base/errors.ts';
import {
  PARTITION_BYTES_MAX,
  PARTITION_FILLED_PERCENT_MAX,
  PARTITION_NEARLY_FULL_PERCENT_MIN,
} from '../../runtime/base/limits.ts';
import type { EdgeEnv, StorageUsage } from '../env.ts';

/** Of what an object may hold, how much is appended until it is looked at again: far less than what is left when no more is taken. */
const LOOKED_SHARE = 1 / 1_024;

export class StorageGuard {
  readonly #sql: SqlStorage;
  readonly #bytesMax: number;
  #seen: StorageUsage | null = null;
  #sinceBytes = 0;

  /** @param env PARTITION_BYTES_MAX, when it is there and a number, is the limit */
  constructor(sql: SqlStorage, env: EdgeEnv) {
    this.#sql = sql;
    const given = Number(env.PARTITION_BYTES_MAX ?? Number.NaN);
    this.#bytesMax = given > 0 ? given : PARTITION_BYTES_MAX;
  }

  /** Pages that are free count for nothing: they are used again. */
  usage(): StorageUsage {
    const storageBytes = this.#sql.databaseSize;
    const percent = (storageBytes / this.#bytesMax) * 100;
    if (percent >= PARTITION_FILLED_PERCENT_MAX) return { storageBytes, storage: 'full' };
    if (percent >= PARTITION_NEARLY_FULL_PERCENT_MIN)
      return { storageBytes, storage: 'nearlyFull' };
    return { storageBytes, storage: 'ok' };
  }

  /**
   * Looks now and then: each time asks the database for its size, which costs as much as a statement.
   * @param lengthBytes what is to be appended
   * @throws {PortError} STORAGE_FULL (detail.storageBytes, detail.storageBytesMax)
   */
  checkRoom(topic: string, partition: number, lengthBytes: number): void {
    this.#sinceBytes += lengthBytes;
    if (this.#sinceBytes > this.#bytesMax * LOOKED_SHARE || this.#seen?.storage === 'full')
      this.#seen = null;
    if (this.#seen === null) this.#sinceBytes = 0;
    const { storageBytes, storage } = (this.#seen ??= this.usage());
    if (storage !== 'full') return;
    throw new PortError(
      'STORAGE_FULL',
      `topic '${topic}' partition ${partition} holds ${storageBytes} bytes, ${PARTITION_FILLED_PERCENT_MAX} % of what it may: give the topic a retention, or more partitions`,
      { storageBytes, storageBytesMax: this.#bytesMax },
    );
  }
}
