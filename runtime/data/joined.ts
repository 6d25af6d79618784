// Record batches one behind the other as one, region by region, without a look at a record (PROTOCOL.md section 2); knows no topic.

import { ByteWriter } from '../base/bytes.ts';
import { sealed, writeHeader } from './record-builder.ts';
import { RECORD_BATCH_HEADER_BYTES, RECORD_BATCH_VERSION } from './record.ts';

/** Timestamps, three kinds of lengths, keys, values and headers. */
const REGIONS = 7;

/** True for a batch whose records stand one after the other, at offsets that do, too: neither columnar nor sparse. */
export function isPlain(bytes: Uint8Array): boolean {
  return headerOf(bytes).getUint32(8, true) === RECORD_BATCH_VERSION;
}

/**
 * One batch of the records of all, in their order, with a checksum of its own.
 * @param batches plain ones that `verify` has checked, together of at most RECORD_BATCH_BYTES_MAX
 */
export function joined(batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const lengths = batches.map(regionsOf);
  const sum = (region: number): number =>
    lengths.reduce((bytes, regions) => bytes + (regions[region] as number), 0);
  const sizes = Array.from({ length: REGIONS }, (_, region) => sum(region));
  const [times = 0, , , , keys = 0, values = 0, headers = 0] = sizes;
  const to = new ByteWriter(sizes.reduce((bytes, more) => bytes + more, RECORD_BATCH_HEADER_BYTES));
  writeHeader(to, 0, times / 8, [keys, values, headers]);
  const next = batches.map(() => RECORD_BATCH_HEADER_BYTES);
  for (let region = 0; region < REGIONS; region++) {
    for (const [i, bytes] of batches.entries()) {
      const from = next[i] as number;
      const end = from + (lengths[i]?.[region] as number);
      to.bytes(bytes, from, end);
      next[i] = end;
    }
  }
  return sealed(to);
}

/** Bytes of each region. */
function regionsOf(bytes: Uint8Array): readonly number[] {
  const header = headerOf(bytes);
  const [count = 0, keys = 0, values = 0, headers = 0] = [12, 16, 20, 24].map((at) =>
    header.getUint32(at, true),
  );
  return [count * 8, count * 4, count * 4, count * 4, keys, values, headers];
}

function headerOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, RECORD_BATCH_HEADER_BYTES);
}
