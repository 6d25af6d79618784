// Names written column by column stand for the keys written row by row, whatever nulls, selections and missing values there are.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ByteWriter } from '../../../runtime/base/bytes.ts';
import { type Batch, positionOf } from '../../../runtime/data/batch.ts';
import { bitAt, bitmap, type Column, isNull, setBit } from '../../../runtime/data/column.ts';
import { type FixedColumn, KeyColumns, writeNamedKey } from '../../../runtime/data/key-columns.ts';
import { writeKey } from '../../../runtime/data/key-writer.ts';
import { DOUBLE, INTEGER, type Type } from '../../../runtime/data/type.ts';
import { writePiece } from '../../../runtime/operators/rarer-pieces.ts';
import { batches } from './arbitrary.ts';

/** A column of pieces as a column of ids, which are places in `pieces`. */
function fixedOf(column: Column, pieces: Uint8Array[]): FixedColumn {
  if (column.storage !== 'objects' && column.storage !== 'dictionary') return column;
  const { length } = column.values;
  const validity = bitmap(length);
  const values = Int32Array.from({ length }, (_, position) => {
    if (isNull(column, position)) return 0;
    setBit(validity, position);
    const writer = new ByteWriter(64);
    writePiece(writer, column, position);
    return pieces.push(writer.finish()) - 1;
  });
  return { type: INTEGER, validity, storage: 'i32', values };
}

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

/** The key that a name stands for. */
function keyNamed(name: Uint8Array, types: readonly Type[], pieces: readonly Uint8Array[]): string {
  if (name.length === 0) return '';
  const writer = new ByteWriter(64);
  writeNamedKey(writer, name, types, (id) => pieces[id] ?? new Uint8Array());
  return Buffer.from(writer.finish()).toString('hex');
}

test('the names of a batch, and of the next ones, stand for the keys of its rows', () => {
  fc.assert(
    fc.property(fc.array(batches, { minLength: 1, maxLength: 4 }), (given) => {
      const keys = new KeyColumns();
      for (const batch of given) {
        const { columns } = batch;
        const pieces: Uint8Array[] = [];
        keys.write(
          batch,
          columns.map((column) => fixedOf(column, pieces)),
        );
        const types = columns.map(({ type }) => type);
        const { bytes, offsets } = keys;
        const actual = Array.from({ length: batch.length }, (_, i) =>
          keyNamed(bytes.subarray(offsets[i], offsets[i + 1]), types, pieces),
        );
        const expected = actual.map((_, i) => keyOf(batch, columns, positionOf(batch, i)));
        expect(actual).toEqual(expected);
        expect(keys.hasMissing).toBe(expected.includes(''));
      }
    }),
    { numRuns: 300 },
  );
});

test('every NaN is one key, on both ways', () => {
  const bits = BigUint64Array.of(
    0x7ff8_0000_0000_0000n,
    0xfff8_0000_0000_0001n,
    0x7ff0_0000_0000_0001n,
  );
  const column: FixedColumn = {
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
  keys.write(batch, [column]);
  const whole = Buffer.from(keys.bytes.subarray(0, 27)).toString('hex');
  expect(whole).toBe(keyOf(batch, [column], 0).repeat(3));
  expect(keyOf(batch, [column], 1)).toBe(keyOf(batch, [column], 0));
});
