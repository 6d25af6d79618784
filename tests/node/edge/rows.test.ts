// Rows as query routes send them, each beside the JSON text of its cells.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergedRows, rowLines, rowTexts } from '../../../edge/rows.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { jsonText } from '../../../runtime/data/json-text.ts';
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

test('rows of several partitions come one partition after the other, or in the order of their bytes', () => {
  const lines = answers.map((rows) => rows.join('\n'));
  expect(mergedRows(lines.map((text) => ({ lines: text, order: null })))).toEqual(answers.flat());
  const orders = [[1, 4], [], [0, 2, 3]].map((keys) => keys.map((key) => Uint8Array.of(key)));
  const sorted = mergedRows(lines.map((text, i) => ({ lines: text, order: orders[i] ?? null })));
  expect(sorted).toEqual(['["\\n"]', '[1]', '[2]', '[3]', '[4]']);
});

test('rows of several batches are lines of one text, and no batch is none', () => {
  const batches = [batch('N:BIGINT', '+ 1', '+ 2'), batch('N:BIGINT', '+ 3')];
  expect(rowLines(batches)).toBe('[1]\n[2]\n[3]');
  expect(mergedRows([{ lines: rowLines([]), order: null }])).toEqual([]);
});
