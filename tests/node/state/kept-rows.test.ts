// Rows that joins keep as columns or as bytes: the same rows again, however they came, were chosen and were read.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { type Batch, IDENTITY, positionOf, select } from '../../../runtime/data/batch.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { rowValues } from '../../../runtime/data/batches.ts';
import { encodeCells } from '../../../runtime/data/cells.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { encodeBatch, decodeBatch } from '../../../runtime/data/codec.ts';
import { schema } from '../../../runtime/data/schema.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  STRING,
  type Type,
  type Value,
} from '../../../runtime/data/type.ts';
import { keptRows } from '../../../runtime/state/column-rows.ts';
import { type KeptRows, NO_ROW } from '../../../runtime/state/kept-rows.ts';

const PLAIN: readonly Type[] = [INTEGER, STRING, BIGINT, BOOLEAN, STRING, DOUBLE];

const valueOf = (type: Type): fc.Arbitrary<Value> => {
  switch (type.kind) {
    case 'STRING':
      return fc.constantFrom('', 'a', 'bc', 'ä€', '\0', 'a longer text than the others');
    case 'BIGINT':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'INTEGER':
      return fc.integer();
    case 'BOOLEAN':
      return fc.boolean();
    case 'ARRAY':
      return fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 });
    default:
      return fc.constantFrom(-0, NaN, 0.5, Infinity);
  }
};

function batchOf(types: readonly Type[], rows: readonly (readonly Value[])[]): Batch {
  const builder = new BatchBuilder(
    schema(types.map((type, i) => ({ name: `C${i}`, type, role: 'value' as const }))),
  );
  rows.forEach((row, i) => builder.append(row, 1000 + i));
  return builder.finish() as Batch;
}

/** Some rows of a batch, of all or of chosen ones, from a row on; `views`: its arrays are parts of one buffer. */
interface Piece {
  readonly batch: Batch;
  readonly from: number;
}

function pieces(types: readonly Type[]): fc.Arbitrary<Piece> {
  const row = fc.tuple(...types.map((type) => fc.option(valueOf(type), { freq: 5 })));
  return fc
    .record({
      rows: fc.array(row, { minLength: 1, maxLength: 80, size: 'max' }),
      step: fc.integer({ min: 1, max: 2 }),
      from: fc.nat({ max: 3 }),
      views: fc.boolean(),
    })
    .map(({ rows, step, from, views }) => {
      const built = batchOf(types, rows);
      const whole = views ? decodeBatch(built.schema, encodeBatch(built)) : built;
      const batch =
        step === 1
          ? whole
          : (select(
              whole,
              IDENTITY.slice(0, whole.length).filter((at) => at % step === 0),
            ) as Batch);
      return { batch, from: Math.min(from, batch.length - 1) };
    });
}

/** Takes every row and checks what `rows` says of them; the values by number. */
function taken(
  kept: KeptRows,
  types: readonly Type[],
  all: readonly Piece[],
): Map<number, Value[]> {
  const known = new Map<number, Value[]>();
  for (const { batch, from } of all) {
    kept.begin(batch, batch.columns, from);
    for (let i = from; i < batch.length; i++) {
      const position = positionOf(batch, i);
      const ms = batch.rowtime[position] as number;
      const row = kept.take(i, position, ms);
      expect(known.has(row)).toBe(false);
      expect(kept.rowtime(row)).toBe(ms);
      expect(kept.bytes(row)).toEqual(encodeCells(types, ms, rowValues(batch, i)));
      known.set(row, [...rowValues(batch, i)]);
    }
  }
  return known;
}

function assertRows(kept: KeptRows, rows: Int32Array, wanted: readonly (readonly Value[])[]): void {
  const columns = kept.columnsOf(rows);
  const seen = wanted.map((_, i) => columns.map((column) => valueAt(column, i)));
  expect(seen).toEqual(wanted);
  for (const { values } of columns) expect(values.length).toBe(rows.length);
}

test.each([
  ['plain columns', PLAIN],
  ['nested values, which are bytes', [...PLAIN, array(INTEGER)]],
])('%s come back in any order, and from others that were made of some of them', (_, types) => {
  const property = fc.property(
    fc.array(pieces(types), { minLength: 1, maxLength: 4 }),
    fc.infiniteStream(fc.nat()),
    (all, picks) => {
      const kept = keptRows(types);
      const known = [...taken(kept, types, all)];
      const pick = (): (typeof known)[number] =>
        known[(picks.next().value as number) % known.length] as (typeof known)[number];
      const chosen = Array.from({ length: 50 }, pick);
      assertRows(
        kept,
        Int32Array.from(chosen, ([row]) => row),
        chosen.map(([, values]) => values),
      );
      const nulls = types.map(() => null);
      const [row, values] = pick();
      assertRows(kept, Int32Array.of(NO_ROW, row, NO_ROW), [nulls, values, nulls]);
      assertRows(kept, Int32Array.of(NO_ROW), [nulls]);
      const isMissing = (i: number): boolean => i % 11 === 10;
      assertRows(
        kept,
        Int32Array.from(chosen, ([one], i) => (isMissing(i) ? NO_ROW : one)),
        chosen.map(([, of], i) => (isMissing(i) ? nulls : of)),
      );
      const behind = keptRows(types, 1);
      taken(behind, types, all);
      assertRows(
        behind,
        Int32Array.from(chosen, ([one]) => one),
        chosen.map(([, of]) => of.slice(1)),
      );
      const rows = Int32Array.from(chosen, (one) => one[0]);
      const some = kept.of(rows);
      const packed = kept.packed(rows);
      expect(some.size).toBe(chosen.length);
      let bytes = 0;
      chosen.forEach(([one], i) => {
        const wanted = kept.bytes(one).slice();
        bytes += wanted.length;
        expect(some.bytes(i)).toEqual(wanted);
        expect(packed.bytes(i)).toEqual(wanted);
      });
      expect([some.valueBytes, packed.valueBytes]).toEqual([bytes, bytes]);
      const [skipped, ...others] = kept.columnsOf(Int32Array.of(row)).map((c) => valueAt(c, 0));
      const without = keptRows(types, 1);
      const again = without.add(kept.bytes(row));
      expect([
        skipped,
        ...without.columnsOf(Int32Array.of(again)).map((c) => valueAt(c, 0)),
      ]).toEqual([skipped, ...others]);
    },
  );
  fc.assert(property, { numRuns: 40 });
});

test('a chunk of a larger buffer is copied, so that no more of it is held than is used', () => {
  const rows = Array.from({ length: 64 }, (_, i): Value[] => [i, `text ${i}`]);
  const built = batchOf([INTEGER, STRING], rows);
  const encoded = encodeBatch(built);
  const buffer = new Uint8Array(1_000_000);
  buffer.set(encoded, 8);
  const kept = keptRows([INTEGER, STRING]);
  const view = decodeBatch(built.schema, buffer.subarray(8, 8 + encoded.length));
  kept.begin(view, view.columns, 0);
  buffer.fill(0);
  assertRows(
    kept,
    Int32Array.from({ length: 64 }, (_, i) => kept.take(i, i, 0)),
    rows,
  );
  expect(kept.bytesHeld).toBeLessThan(3000);
});

test('a batch of which most is kept stays where it is, and the whole buffer counts', () => {
  const rows = Array.from({ length: 64 }, (_, i): Value[] => [i, `text ${i}`]);
  const built = batchOf([INTEGER, STRING], rows);
  const encoded = encodeBatch(built);
  const bytes = new Uint8Array(encoded.length);
  bytes.set(encoded);
  const kept = keptRows([INTEGER, STRING]);
  const view = decodeBatch(built.schema, bytes);
  kept.begin(view, view.columns, 0);
  const numbers = Int32Array.from({ length: 64 }, (_, i) => kept.take(i, i, 0));
  assertRows(kept, numbers, rows);
  expect(kept.bytesHeld).toBe(bytes.length);
  expect(kept.timesOf?.(0)?.buffer).toBe(bytes.buffer);
});

test('rows that come one by one are many segments, and all of a segment are no copy', () => {
  const kept = keptRows([INTEGER]);
  const count = BATCH_ROWS_MAX + 2;
  const numbers = Array.from({ length: count }, (_, i) => kept.add(encodeCells([INTEGER], i, [i])));
  expect(numbers).toEqual(numbers.map((_, i) => i));
  assertRows(kept, Int32Array.of(0, count - 1), [[0], [count - 1]]);
  const some = kept.of(Int32Array.from(numbers));
  expect([some.size, some.rowtime(count - 1)]).toEqual([count, count - 1]);
  const again = some.of(Int32Array.from(numbers));
  const [first] = some.columnsOf(Int32Array.of(0));
  expect(again.columnsOf(Int32Array.of(0))[0]?.values).toEqual(first?.values);
});

test('a commit holds on to columns that others have, unless most of their rows are none of its own', () => {
  const kept = keptRows([INTEGER]);
  const count = 64;
  const batch = batchOf(
    [INTEGER],
    Array.from({ length: count }, (_, i) => [i]),
  );
  kept.begin(batch, batch.columns, 0);
  const rows = Int32Array.from({ length: count }, (_, i) => kept.take(i, i, 1000 + i));
  // A copy is a whole of its own.
  const isCopy = (some: Int32Array): boolean => 'size' in kept.packed(some);
  expect([isCopy(rows), isCopy(rows.filter((row) => row % 2 === 0))]).toEqual([false, false]);
  expect(isCopy(rows.subarray(0, count / 2 - 1))).toBe(true);
  const added = kept.add(encodeCells([INTEGER], 1, [7]));
  const packed = kept.packed(Int32Array.of(...rows, added));
  // Rows that come later are none of it.
  kept.add(encodeCells([INTEGER], 2, [8]));
  expect(packed.bytes(count)).toEqual(encodeCells([INTEGER], 1, [7]));
  expect(packed.valueBytes).toBe((count + 1) * kept.bytes(added).length);
});
