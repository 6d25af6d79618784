// Rows of columns as state values: the bytes of encodeCells, and the same columns again.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TaskCorrupted } from '../../../runtime/base/errors.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { positionOf } from '../../../runtime/data/batch.ts';
import { batchesEqual, rowValues } from '../../../runtime/data/batches.ts';
import { encodeCells } from '../../../runtime/data/cells.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { RowCells, rowtimeOf } from '../../../runtime/data/row-cells.ts';
import { StoredRows } from '../../../runtime/data/stored-rows.ts';
import { BIGINT, INTEGER, STRING } from '../../../runtime/data/type.ts';
import { batches } from './arbitrary.ts';

test('a row of columns has the bytes of its values, and comes back as it was', () => {
  const property = fc.property(batches, (rows) => {
    const types = rows.schema.columns.map(({ type }) => type);
    const cells = new RowCells(types);
    const builder = new BatchBuilder(rows.schema);
    const stored = new StoredRows(types, 0);
    for (let i = 0; i < rows.length; i++) {
      const position = positionOf(rows, i);
      const ms = rows.rowtime[position] ?? 0;
      const encoded = cells.encode(rows.columns, position, ms);
      expect(encoded).toEqual(encodeCells(types, ms, rowValues(rows, i)));
      expect(rowtimeOf(encoded)).toBe(ms);
      cells.append(encoded, builder.columns);
      builder.endRow(ms);
      const shifted = new Uint8Array(encoded.length + 8);
      shifted.set(encoded, 3);
      stored.add(shifted, 3, 3 + encoded.length);
    }
    const wanted = { ...rows, op: null, origin: null, keyNull: null, valueNull: null };
    const built = builder.finish();
    expect(built !== null && batchesEqual(built, wanted)).toBe(true);
    expect(built !== null && batchesEqual({ ...built, columns: stored.finish() }, wanted)).toBe(
      true,
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test('a cell that nobody wants is passed over', () => {
  const rows = batch('K:STRING | N:BIGINT', 'text | 9007199254740995', 'null | -1');
  const cells = new RowCells([STRING, BIGINT]);
  const builder = new BatchBuilder({ columns: rows.schema.columns.slice(1) });
  for (const position of [0, 1]) {
    cells.append(cells.encode(rows.columns, position, 5), [null, builder.columns[0] ?? null]);
    builder.endRow(5);
  }
  const built = builder.finish();
  expect(built && [0, 1].map((i) => rowValues(built, i))).toEqual([
    [9_007_199_254_740_995n],
    [-1n],
  ]);
});

test('bytes that are no row of these types are a corrupted task', () => {
  const rows = batch('K:STRING | N:INTEGER', 'text | 1');
  const cells = new RowCells([STRING, INTEGER]);
  const builder = new BatchBuilder(rows.schema);
  const encoded = cells.encode(rows.columns, 0, 5);
  const append = (bytes: Uint8Array) => () => cells.append(bytes, builder.columns);
  expect(append(encoded.subarray(0, 20))).toThrow(TaskCorrupted);
  expect(append(encoded.subarray(0, encoded.length - 1))).toThrow(TaskCorrupted);
  const together = (to: number) => () => {
    const stored = new StoredRows([STRING, INTEGER], 0);
    stored.add(encoded, 0, to);
    return stored.finish();
  };
  expect(together(20)).toThrow(TaskCorrupted);
  expect(together(encoded.length - 1)).toThrow(TaskCorrupted);
  expect(together(encoded.length)().length).toBe(2);
});

test('rows together may lack a row, and cells at their front', () => {
  const rows = batch('K:STRING | N:BIGINT', 'text | 9007199254740995', 'null | -1');
  const cells = new RowCells([STRING, BIGINT]);
  const stored = new StoredRows([STRING, BIGINT], 1);
  for (const position of [0, 1]) {
    const length = cells.write(rows.columns, position, 5);
    stored.add(cells.written.slice(0, length), 0, length);
    stored.add(null, 0, 0);
  }
  const [column, ...others] = stored.finish();
  expect(others).toEqual([]);
  expect(column && [0, 1, 2, 3].map((row) => valueAt(column, row))).toEqual([
    9_007_199_254_740_995n,
    null,
    -1n,
    null,
  ]);
  expect(stored.finish().map(({ values }) => values.length)).toEqual([0]);
});
