// Every aggregate, whatever its rows: undo takes back what add did, merging is adding all, and a state goes on from its bytes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCells, encodeCells } from '../../../runtime/data/cells.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  STRING,
  struct,
  type Value,
} from '../../../runtime/data/type.ts';
import { scalarText } from '../../../runtime/data/value.ts';
import { type AggregateOf, bodyOf, folded } from '../../support/aggregates.ts';

type Row = readonly Value[];

interface Subject extends AggregateOf {
  readonly row: fc.Arbitrary<Row>;
  /** What two results must have in common; absent: they are equal. */
  readonly seen?: (result: Value) => unknown;
}

const nullable = (of: fc.Arbitrary<Value>): fc.Arbitrary<Value> => fc.option(of, { nil: null });
const one = (of: fc.Arbitrary<Value>): fc.Arbitrary<Row> => fc.tuple(nullable(of));
const ints = fc.integer({ min: -4, max: 4 });
const longs = fc.bigInt({ min: -4n, max: 4n });
const words = fc.constantFrom('', 'a', 'b', 'ä', '日本');
const doubles = fc.constantFrom(-2.5, -1, 0, 0.25, 3, 1024);
const edges = fc.oneof(doubles, fc.constantFrom(NaN, Infinity, -Infinity, -0));
const lists = fc.array(nullable(ints), { maxLength: 3 });
const items = struct([
  { name: 'A', type: INTEGER },
  { name: 'B', type: STRING },
]);
const structs = fc.tuple(nullable(ints), nullable(words));
const rounded = (result: Value): unknown =>
  typeof result === 'number' ? Number(result.toFixed(6)) + 0 : result;
const multiset = (result: Value): unknown =>
  (result as readonly Value[]).map((item) => JSON.stringify(item)).sort();

const undoable: readonly Subject[] = [
  { name: 'COUNT', types: [], row: fc.constant([]) },
  { name: 'COUNT', types: [STRING], row: one(words) },
  { name: 'SUM', types: [INTEGER], row: one(ints) },
  { name: 'SUM', types: [BIGINT], row: one(longs) },
  { name: 'SUM', types: [DOUBLE], row: one(doubles) },
  { name: 'SUM', types: [decimal(9, 2)], row: one(longs) },
  { name: 'SUM_LIST', types: [array(INTEGER)], row: one(lists) },
  { name: 'AVG', types: [INTEGER], row: one(ints) },
  { name: 'AVG', types: [DOUBLE], row: one(doubles) },
  { name: 'ATTR', types: [STRING], row: one(words) },
  { name: 'ATTR', types: [items], row: one(structs) },
  { name: 'HISTOGRAM', types: [STRING], row: one(words) },
  { name: 'COLLECT_LIST', types: [INTEGER], row: one(ints), seen: multiset },
  { name: 'CORRELATION', types: [INTEGER, INTEGER], row: fc.tuple(nullable(ints), nullable(ints)) },
  {
    name: 'CORRELATION',
    types: [DOUBLE, DOUBLE],
    row: fc.tuple(nullable(doubles), nullable(doubles)),
  },
  { name: 'STDDEV_SAMP', types: [INTEGER], row: one(ints), seen: rounded },
  { name: 'STDDEV_SAMPLE', types: [BIGINT], row: one(longs), seen: rounded },
];

const others: readonly Subject[] = [
  { name: 'MIN', types: [DOUBLE], row: one(edges) },
  { name: 'MAX', types: [STRING], row: one(words) },
  { name: 'COLLECT_LIST', types: [DOUBLE], row: one(edges) },
  { name: 'COLLECT_SET', types: [DOUBLE], row: one(edges) },
  { name: 'COLLECT_SET', types: [items], row: one(structs) },
  { name: 'COUNT_DISTINCT', types: [items], row: one(structs) },
  { name: 'COUNT_DISTINCT', types: [DOUBLE], row: one(edges) },
  ...['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET'].flatMap((name): Subject[] => [
    { name, types: [INTEGER], row: one(ints) },
    { name, types: [items], row: one(structs), constants: [[BOOLEAN, false]] },
    { name, types: [INTEGER], row: one(ints), constants: [[INTEGER, 2]] },
    {
      name,
      types: [STRING],
      row: one(words),
      constants: [
        [INTEGER, 3],
        [BOOLEAN, false],
      ],
    },
  ]),
  { name: 'TOPK', types: [DOUBLE], row: one(edges), constants: [[INTEGER, 3]] },
  { name: 'TOPK', types: [INTEGER, STRING], row: structs, constants: [[INTEGER, 2]] },
  { name: 'TOPKDISTINCT', types: [STRING], row: one(words), constants: [[INTEGER, 2]] },
];

const all = [...undoable, ...others];
const rowsOf = ({ row }: Subject): fc.Arbitrary<readonly Row[]> => fc.array(row, { maxLength: 12 });
const titled = (subjects: readonly Subject[]) =>
  subjects.map((subject, i) => [`${subject.name} ${i}`, subject] as const);

describe.each(titled(undoable))('%s', (_, subject) => {
  const body = bodyOf(subject);
  const { seen = (result) => result } = subject;

  test('rows taken back, in any order, leave what the others make', () => {
    // A row comes, and goes again some time after it came, or stays.
    const script = fc.array(fc.tuple(subject.row, fc.boolean(), fc.nat({ max: 4 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(script, (rows) => {
        const cells = body.initial();
        const going: { row: Row; in: number }[] = [];
        const leave = (): void => {
          for (const one of going) one.in -= 1;
          for (const one of going.filter((candidate) => candidate.in < 0)) {
            body.undo?.(cells, one.row);
            going.splice(going.indexOf(one), 1);
          }
        };
        rows.forEach(([row, goes, after], offset) => {
          body.add(cells, row, offset);
          if (goes) going.push({ row, in: after });
          leave();
        });
        while (going.length > 0) leave();
        const left = rows.flatMap(([row, goes]) => (goes ? [] : [row]));
        expect(seen(body.result(cells))).toEqual(seen(body.result(folded(body, left))));
      }),
    );
  });
});

test.each(titled(others))('%s has an undo only where it is an inverse', (_, subject) => {
  expect(bodyOf(subject).undo === null).toBe(subject.name !== 'COLLECT_LIST');
});

describe.each(titled(all))('%s', (_, subject) => {
  const body = bodyOf(subject);
  const { seen = (result) => result } = subject;

  test('merging two states is adding the rows of both', () => {
    fc.assert(
      fc.property(rowsOf(subject), rowsOf(subject), (first, second) => {
        const into = folded(body, first);
        const from = folded(body, second, first.length);
        const untouched = [...from];
        body.merge?.(into, from);
        expect(from).toEqual(untouched);
        const whole = body.result(folded(body, [...first, ...second]));
        expect(seen(body.result(into))).toEqual(seen(whole));
      }),
    );
  });

  test('a state goes on from its bytes, at any row', () => {
    fc.assert(
      fc.property(rowsOf(subject), rowsOf(subject), (first, second) => {
        const before = folded(body, first);
        const bytes = encodeCells(body.cells, 1, before);
        const after = decodeCells(body.cells, bytes).values;
        expect(after).toEqual(before);
        expect(body.result(after)).toEqual(body.result(before));
        folded(body, second, first.length, after);
        folded(body, second, first.length, before);
        expect(encodeCells(body.cells, 1, after)).toEqual(encodeCells(body.cells, 1, before));
      }),
    );
  });

  test('a result that was shown stays as it was', () => {
    fc.assert(
      fc.property(rowsOf(subject), (rows) => {
        const cells = body.initial();
        const shown: [Value, string][] = [];
        rows.forEach((row, offset) => {
          body.add(cells, row, offset);
          const result = body.result(cells);
          shown.push([result, textOf(result)]);
        });
        for (const [result, before] of shown) expect(textOf(result)).toBe(before);
      }),
    );
  });
});

function textOf(value: Value): string {
  if (value === null) return 'null';
  if (value instanceof Map) return `{${[...value].map((entry) => textOf(entry)).join()}}`;
  if (Array.isArray(value)) return `[${value.map((item: Value) => textOf(item)).join()}]`;
  return value instanceof Uint8Array ? value.join() : scalarText(value);
}
