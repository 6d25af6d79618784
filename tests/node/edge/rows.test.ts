// Rows as query routes send them, each beside the JSON text of its cells.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Lines,
  mergedRows,
  pulledRows,
  type PulledRows,
  refusesHeavy,
  rowTexts,
} from '../../../edge/rows.ts';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { PULL_BYTES_MAX, PULL_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { jsonText } from '../../../runtime/data/json-text.ts';
import type { AnswerRow } from '../../../runtime/engine/pull-finish.ts';
import { batch } from '../../../runtime/data/pretty.ts';

const seed = Date.now();

const row = fc.record({
  op: fc.constantFrom('+', '-'),
  text: fc.option(
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constantFrom('\n', 'a\r\nb\u2028')),
  ),
  number: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  items: fc.option(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }))),
});

test(`a row is its cells as JSON, whatever stood in the row before (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
      const given = batch(
        'T:STRING | N:BIGINT | X:ARRAY<DOUBLE>',
        ...rows.map(({ op, text, number, items }) => {
          const cells = [JSON.stringify(text), String(number), JSON.stringify(items)];
          return `${op} ${cells.map((cell) => cell.replaceAll('|', '!')).join(' | ')}`;
        }),
      );
      const expected = rows.map(({ op }, i) => {
        const cells = given.columns.map((column) => jsonText(column.type, valueAt(column, i)));
        return { columns: `[${cells.join(',')}]`, isDelete: op === '-' };
      });
      expect(rowTexts(given)).toEqual(expected);
    }),
    { seed, numRuns: 40 },
  );
});

const answers = [['[1]', '[4]'], [], ['["\\n"]', '[2]', '[3]']];

function rowsOf(pulled: readonly PulledRows[], limit: number | null = null): readonly string[] {
  return new Lines(mergedRows(pulled, limit).lines).next(Infinity);
}

function linesOf(rows: readonly string[]): Uint8Array<ArrayBuffer> {
  return encodeUtf8(rows.join('\n'));
}

test('rows of several partitions come one partition after the other, or in the order of their bytes, as many as are wanted', () => {
  const lines = answers.map(linesOf);
  const plain = lines.map((bytes) => ({ lines: bytes, order: null }));
  expect(rowsOf(plain)).toEqual(answers.flat());
  expect(rowsOf(plain, 3)).toEqual(answers.flat().slice(0, 3));
  const orders = [[1, 4], [], [0, 2, 3]].map((keys) => keys.map((key) => Uint8Array.of(key)));
  const sorted = rowsOf(lines.map((bytes, i) => ({ lines: bytes, order: orders[i] ?? null })));
  expect(sorted).toEqual(['["\\n"]', '[1]', '[2]', '[3]', '[4]']);
});

const NONE = { schema: { columns: [] }, order: [] };

test('rows of several batches are lines of one text, and no batch is none', () => {
  const batches = [batch('N:BIGINT', '+ 1', '+ 2'), batch('N:BIGINT', '+ 3')];
  const { lines } = pulledRows({ ...NONE, batches }, false);
  expect(decodeUtf8(lines)).toBe('[1]\n[2]\n[3]');
  // All of a buffer goes through a call with a view of it.
  expect(lines.buffer.byteLength).toBe(lines.length);
  expect(rowsOf([pulledRows({ ...NONE, batches: [] }, false)])).toEqual([]);
});

test(`rows that are taken a few at a time are all of them, in their order (seed ${seed})`, () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 8 })
    .map((value) => JSON.stringify([value]));
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 40 }),
      fc.integer({ min: 1, max: 30 }),
      (rows, bytes) => {
        const lines = new Lines(linesOf(rows));
        const taken: string[] = [];
        for (let some; (some = lines.next(bytes)).length > 0;) taken.push(...some);
        expect(taken).toEqual(rows);
        expect(lines.isOver).toBe(true);
      },
    ),
    { seed, numRuns: 200 },
  );
});

test('PULL_BYTES_MAX may answer, of one partition and of all, and no more', () => {
  const long = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes).fill(0x30);
  const half = { lines: long(PULL_BYTES_MAX / 2), order: null };
  const less = { lines: long(PULL_BYTES_MAX / 2 - 1), order: null };
  const refused = expect.objectContaining({ name: 'LimitError', limit: 'PULL_BYTES_MAX' });
  expect(mergedRows([half, less], null).lines).toHaveLength(PULL_BYTES_MAX);
  expect(() => mergedRows([half, half], null)).toThrow(refused);
  expect(mergedRows([half, half], 1).lines).toHaveLength(PULL_BYTES_MAX / 2);
  const given = batch('T:STRING', '+ "ab"');
  const ordered = (bytes: number) => ({
    ...NONE,
    batches: [given],
    order: [new Uint8Array(bytes)],
  });
  const most = PULL_BYTES_MAX - '["ab"]'.length;
  expect(pulledRows(ordered(most), true).order).toHaveLength(1);
  expect(() => pulledRows(ordered(most + 1), true)).toThrow(refused);
  expect(pulledRows(ordered(most + 1), false).order).toBe(null);
  // While rows are looked for twice as many are held.
  const row = { rowtime: 0, values: ['x'.repeat(PULL_BYTES_MAX - 10)], order: new Uint8Array(8) };
  const rows: AnswerRow[] = [row, row];
  const refuse = refusesHeavy();
  refuse(rows);
  // It is another array that holds less again.
  refuse([row]);
  refuse(rows);
  rows.push({ ...row, values: [] });
  expect(() => refuse(rows)).toThrow(refused);
});

test('rows that are looked for in many pieces are weighed once each', () => {
  let weighed = 0;
  const refuse = refusesHeavy();
  const rows: AnswerRow[] = [];
  for (let pieces = 0; pieces < 100; pieces++) {
    for (let i = 0; i < 10; i++) {
      const order = new Uint8Array(8);
      const value = { order, rowtime: 0, values: [] };
      rows.push(Object.defineProperty(value, 'values', { get: () => [(weighed += 1)] }));
    }
    refuse(rows);
  }
  expect(weighed).toBe(rows.length);
});

test('PULL_ROWS_MAX rows of several partitions may answer, and no more', () => {
  const pulled = (rows: number): PulledRows => ({
    lines: linesOf(Array.from({ length: rows }, () => '[1]')),
    order: null,
  });
  expect(rowsOf([pulled(PULL_ROWS_MAX - 1), pulled(1)])).toHaveLength(PULL_ROWS_MAX);
  expect(() => rowsOf([pulled(PULL_ROWS_MAX), pulled(1)])).toThrow('more than 10000 rows answer');
  expect(rowsOf([pulled(PULL_ROWS_MAX), pulled(1)], 5)).toHaveLength(5);
});
