// A stored batch that is not what was stored is never taken for it, though no record of it is looked at.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkStored } from '../../../edge/objects/stored-check.ts';
import { columnarRecordBatch } from '../../../runtime/data/columnar-records.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { verify } from '../../../runtime/data/record.ts';
import { sumOf } from '../../../runtime/ports/plain-append.ts';

const AT = { topic: 't', partition: 3 };
const plain = singleRecord(new Uint8Array([1]), new Uint8Array(40).fill(7), 5);
const columnar = columnarRecordBatch(batch('op K:STRING | N:BIGINT @rowtime', '+ a | 1 @7'));
const stored = (bytes: Uint8Array) => ({
  base: 9,
  count: verify(bytes).count,
  crc: sumOf(bytes),
});

test('what was stored passes, wherever its bytes stand', () => {
  for (const bytes of [plain, columnar]) {
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(() => checkStored(AT, moved.subarray(3), stored(bytes))).not.toThrow();
  }
});

test('a bit that has flipped, a byte that is missing, another count or sum beside it are CORRUPT', () => {
  const refusal = expect.objectContaining({
    code: 'CORRUPT',
    detail: { topic: 't', partition: 3, offset: 9 },
  });
  const check = (bytes: Uint8Array, beside: ReturnType<typeof stored>): void =>
    checkStored(AT, bytes, beside);
  for (const bytes of [plain, columnar]) {
    const beside = stored(bytes);
    expect(() => check(bytes, { ...beside, count: 2 })).toThrow(refusal);
    expect(() => check(bytes, { ...beside, crc: beside.crc ^ 1 })).toThrow(refusal);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), fc.nat(bytes.length - 1), (bit, length) => {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => check(flipped, beside)).toThrow(refusal);
        expect(() => check(bytes.subarray(0, length), beside)).toThrow(refusal);
      }),
      { numRuns: 60 },
    );
  }
});

test('of bytes that are known only what stands beside them is compared', () => {
  for (const bytes of [plain, columnar]) {
    const beside = stored(bytes);
    const flipped = bytes.slice();
    flipped[bytes.length - 1] = (flipped.at(-1) ?? 0) ^ 4;
    expect(() => checkStored(AT, flipped, beside)).toThrow(/fails its checks/);
    expect(() => checkStored(AT, flipped, beside, true)).not.toThrow();
    // Another batch than the one that was stored here.
    expect(() => checkStored(AT, bytes, { ...beside, crc: beside.crc ^ 1 }, true)).toThrow(
      /fails its checks/,
    );
    expect(() => checkStored(AT, bytes.subarray(0, 10), beside, true)).toThrow(/fails its checks/);
  }
});
