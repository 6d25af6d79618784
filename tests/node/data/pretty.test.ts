// Text tables to batches and back: what every other test of batches writes its rows with.

import { expect, test } from 'vitest';
import { bitAt, valueAt } from '../../../runtime/data/column.ts';
import { batchesEqual } from '../../../runtime/data/batches.ts';
import { batch, format } from '../../../runtime/data/pretty.ts';

test('reads keys, operations, nulls, rowtimes and origins', () => {
  const read = batch(
    'K:STRING key | N:BIGINT | D:DECIMAL(4, 2) @rowtime',
    '+ a | 1 | 1.50 @0 #0',
    '> "x | y" | null | -0.05 @5 #1',
    '- b | ~ | ~ @7 #2',
  );
  expect(read.columns.map((column) => [0, 1, 2].map((row) => valueAt(column, row)))).toEqual([
    ['a', 'x | y', 'b'],
    [1n, null, null],
    [150n, -5n, null],
  ]);
  expect([...read.rowtime]).toEqual([0, 5, 7]);
  expect([...(read.op ?? [])]).toEqual([0, 2, 3]);
  expect([...(read.origin ?? [])]).toEqual([0, 1, 2]);
  expect(read.valueNull !== null && bitAt(read.valueNull, 2)).toBe(true);
  expect(read.valueNull !== null && bitAt(read.valueNull, 1)).toBe(false);
});

test('what format writes, batch reads as the same rows', () => {
  const rows = batch(
    'K:STRING key | WINDOWSTART:BIGINT window | B:BYTES | X:DOUBLE | A:ARRAY<BIGINT> | M:MAP<STRING, INTEGER> | S:STRUCT<`a b` BOOLEAN, `C` DECIMAL(3, 1)> | T:BOOLEAN',
    '+ null | 10 | 0x00ff | -0 | [1,null] | {"__proto__":1} | {"a b":true,"C":1.5} | false @1',
    '+ "null" | 20 | null | NaN | [] | {} | null | true @2',
    '- ~ | 30 | ~ | ~ | ~ | ~ | ~ | ~ @3',
    '< " a" | 40 | 0x | Infinity | null | null | null | null @4',
    '> a@1 #2 | 40 | 0x | 1e-9 | null | null | null | null @4',
  );
  const [header = '', ...lines] = format(rows).split('\n');
  expect(format(batch(header, ...lines))).toBe(format(rows));
  expect(batchesEqual(batch(header, ...lines), rows)).toBe(true);
});

test('a stream has no operations', () => {
  expect(batch('N:INTEGER', '1 @3', '-2').op).toBeNull();
  expect(format(batch('N:INTEGER', '1 @3', '-2'))).toBe(
    'N:INTEGER @rowtime\n1         @3\n-2        @0',
  );
});

test('text that is no table is refused', () => {
  expect(() => batch('N:NUMBER', '1')).toThrow('no type');
  expect(() => batch('N:INTEGER', '1 | 2')).toThrow('2 cells for 1 columns');
  expect(() => batch('N:BOOLEAN', '1')).toThrow('no BOOLEAN');
  expect(() => batch('N:INTEGER')).toThrow('at least one row');
  expect(() => batch('N:INTEGER', '+ 1', '2')).toThrow('all rows');
});
