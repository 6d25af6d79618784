// The topic that holds the catalog's changes: appended one by one, replayed at open; knows no statement's meaning.

import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import { FETCH_BYTES_MAX } from '../base/limits.ts';
import { parseRecordBatch } from '../data/record.ts';
import { singleRecord } from '../data/record-builder.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { CHANGE_VERSION, type CatalogEntry } from './changes.ts';

export const CATALOG_TOPIC = '__catalog';

const AT = { topic: CATALOG_TOPIC, partition: 0 };

/** Writes an entry; it is durable when this resolves. @returns its offset: the number of the statement */
export async function appendEntry(log: Log, clock: Clock, entry: CatalogEntry): Promise<number> {
  const bytes = singleRecord(
    null,
    encodeUtf8(JSON.stringify(entry)),
    Math.max(0, Math.floor(clock.now())),
  );
  const { base } = await log.append(AT, bytes);
  return base ?? 0;
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
