// The topic that holds the catalog's changes: appended one by one, replayed at open; knows no statement's meaning.

import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { isPassing, PortError } from '../base/errors.ts';
import { FETCH_BYTES_MAX } from '../base/limits.ts';
import { parseRecordBatch } from '../data/record.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { Host } from '../ports/host.ts';
import type { Log } from '../ports/log.ts';
import { CHANGE_VERSION, type CatalogEntry } from './changes.ts';

export const CATALOG_TOPIC = '__catalog';

const AT = { topic: CATALOG_TOPIC, partition: 0 };

/** Appends entries. One engine does, so that it knows where the topic ends: an entry that it did not know of would be one too many at the next open. */
export class CatalogTopic {
  readonly #host: Pick<Host, 'log' | 'clock'>;
  /** Those that are known. */
  #entries: number;
  /** false: whether the last one is there nobody has said. */
  #isSure = true;

  constructor(host: Pick<Host, 'log' | 'clock'>, entries: number) {
    this.#host = host;
    this.#entries = entries;
  }

  /**
   * Writes an entry; it is durable when this resolves.
   * @returns its offset: the number of the statement
   * @throws {PortError} what the log refuses; UNAVAILABLE where an entry before was not answered, and is there
   */
  async append(entry: CatalogEntry): Promise<number> {
    const { log, clock } = this.#host;
    if (!this.#isSure && (await this.#hasMore()))
      throw new PortError('UNAVAILABLE', 'a statement that was not answered is done: open anew');
    const now = Math.max(0, Math.floor(clock.now()));
    const bytes = singleRecord(null, encodeUtf8(JSON.stringify(entry)), now);
    this.#isSure = false;
    try {
      await log.append(AT, bytes);
    } catch (thrown) {
      if (!isPassing(thrown) || !(await this.#hasMore())) {
        this.#isSure = true;
        throw thrown;
      }
    }
    this.#isSure = true;
    return this.#entries++;
  }

  async #hasMore(): Promise<boolean> {
    return (await this.#host.log.bounds(AT)).highWatermark > this.#entries;
  }
}

/**
 * All entries, oldest first.
 * @throws {PortError} CORRUPT when one was written by a newer version
 */
export async function readEntries(log: Log): Promise<readonly CatalogEntry[]> {
  const entries: CatalogEntry[] = [];
  let offset = 0;
  for (;;) {
    const { batches, highWatermark } = await log.read(AT, offset, FETCH_BYTES_MAX);
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      for (let i = 0; i < count; i++) entries.push(entryOf(records.value(i), base + i));
      offset = base + count;
    }
    if (offset >= highWatermark) return entries;
  }
}

function entryOf(value: Uint8Array | null, offset: number): CatalogEntry {
  const entry = JSON.parse(value === null ? 'null' : decodeUtf8(value)) as CatalogEntry | null;
  if (entry === null || entry.version > CHANGE_VERSION) {
    throw new PortError(
      'CORRUPT',
      `catalog entry ${offset} is of version ${entry?.version}; this is ${CHANGE_VERSION}`,
    );
  }
  return entry;
}
