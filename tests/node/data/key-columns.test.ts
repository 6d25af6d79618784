// Keys written column by column are those written row by row, whatever nulls, selections and missing values there are.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ByteWriter } from '../../../runtime/base/bytes.ts';
import { type Batch, positionOf } from '../../../runtime/data/batch.ts';
import { bitAt, type Column, isNull } from '../../../runtime/data/column.ts';
import { KeyColumns } from '../../../runtime/data/key-columns.ts';
import { writeKey } from '../../../runtime/data/key-writer.ts';
import { DOUBLE } from '../../../runtime/data/type.ts';
import { batches } from './arbitrary.ts';

const LOOPED = ['BOOLEAN', 'INTEGER', 'BIGINT', 'DOUBLE', 'STRING', 'TIME', 'DATE', 'TIMESTAMP'];

/** The key bytes of a row as text, empty where it has no group. */
function keyOf(batch: Batch, columns: readonly Column[], position: number): string {
  const isDropped =
    (batch.keyNull !== null && bitAt(batch.keyNull, position)) ||
    (batch.valueNull !== null && bitAt(batch.valueNull, position)) ||
    columns.every((column) => isNull(column, position));
  if (isDropped) return '';
  const writer = new ByteWriter(64);
  writeKey(writer, columns, position);
  return Buffer.from(writer.finish()).toString('hex');
}

test('the keys of a batch, and of the next ones, are the keys of its rows', () => {
  let written = 0;
  fc.assert(
    fc.property(fc.array(batches, { minLength: 1, maxLength: 4 }), (given) => {
      const keys = new KeyColumns();
      for (const batch of given) {
        const columns = batch.columns.filter(({ type }) => LOOPED.includes(type.kind));
        if (columns.length === 0 || !keys.write(batch, columns)) continue;
        written += 1;
        const { bytes, offsets } = keys;
        const actual = Array.from({ length: batch.length }, (_, i) =>
          Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString('hex'),
        );
        const expected = actual.map((_, i) => keyOf(batch, columns, positionOf(batch, i)));
        expect(actual).toEqual(expected);
        expect(keys.hasMissing).toBe(expected.includes(''));
      }
    }),
    { numRuns: 300 },
  );
  expect(written).toBeGreaterThan(200);
});

test('every NaN is one key, on both ways', () => {
  const bits = BigUint64Array.of(
    0x7ff8_0000_0000_0000n,
    0xfff8_0000_0000_0001n,
    0x7ff0_0000_0000_0001n,
  );
  const column: Column = {
    type: DOUBLE,
    validity: null,
    storage: 'f64',
    values: new Float64Array(bits.buffer),
  };
  const batch: Batch = {
    schema: { columns: [{ name: 'D', type: DOUBLE, role: 'key' }] },
    length: 3,
    selection: null,
    columns: [column],
    valueNull: null,
    keyNull: null,
    rowtime: new Float64Array(3),
    op: null,
    origin: null,
  };
  const keys = new KeyColumns();
  expect(keys.write(batch, [column])).toBe(true);
  const whole = Buffer.from(keys.bytes.subarray(0, 27)).toString('hex');
  expect(whole).toBe(keyOf(batch, [column], 0).repeat(3));
  expect(keyOf(batch, [column], 1)).toBe(keyOf(batch, [column], 0));
});
