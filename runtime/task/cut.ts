// Takes records away from the front of a record batch, for a destination that holds them already; knows no destination.

import { assert } from '../base/assert.ts';
import { slice } from '../data/batch.ts';
import { decodeBatch } from '../data/codec.ts';
import { columnarRecordBatch } from '../data/columnar-records.ts';
import { parseRecordBatch } from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { Schema } from '../data/schema.ts';

/** The record batch without its first `skip` records. */
export function cut(bytes: Uint8Array, skip: number, schema: Schema | null): Uint8Array {
  const records = parseRecordBatch(bytes);
  if (records.encoded !== null) {
    assert(schema !== null, 'an encoded batch goes to an internal topic of the plan');
    const batch = decodeBatch(schema, records.encoded);
    const rest = slice(batch, skip, batch.length);
    assert(rest !== null, 'a cut leaves records');
    return columnarRecordBatch(rest);
  }
  const builder = new RecordBatchBuilder();
  for (let i = skip; i < records.count; i++) {
    builder.append(
      records.key(i),
      records.value(i),
      records.timestamps[i] ?? 0,
      records.headers(i),
    );
  }
  const rest = builder.finish();
  assert(rest !== null, 'a cut leaves records');
  return rest;
}
