// Rows of several batches in one column: each is what it was where it stood.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnBuilder } from '../../../runtime/data/builder.ts';
import { bitmap, type Column, isNull, setBit, valueAt } from '../../../runtime/data/column.ts';
import { gatherAcross } from '../../../runtime/data/gather-across.ts';
import { nullable, types } from './arbitrary.ts';

/** Decoders say of values that are objects which of them are null, builders leave it to the values. */
function withValidity(column: Column): Column {
  const rows = column.values.length;
  const validity = bitmap(rows);
  for (let row = 0; row < rows; row++) if (!isNull(column, row)) setBit(validity, row);
  return { ...column, validity };
}

test('values and nulls are those of the rows that are gathered, whether the columns say which are null or their values do', () => {
  const rows = types.chain((type) =>
    fc.record({
      type: fc.constant(type),
      parts: fc.array(
        fc.record({
          values: fc.array(nullable(type), { minLength: 1, maxLength: 9 }),
          isSaid: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  );
  const picked = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 20 });
  fc.assert(
    fc.property(rows, picked, ({ type, parts }, picks) => {
      const columns = parts.map(({ values, isSaid }) => {
        const builder = columnBuilder(type);
        for (const value of values) builder.append(value);
        const column = builder.finish();
        return isSaid ? withValidity(column) : column;
      });
      const places = picks.map(([part, row]) => {
        const batch = part % columns.length;
        return { batch, position: row % (parts[batch]?.values.length ?? 1) };
      });
      const gathered = gatherAcross(columns, {
        batches: Uint32Array.from(places, ({ batch }) => batch),
        positions: Uint32Array.from(places, ({ position }) => position),
      });
      const expected = places.map(({ batch, position }) => parts[batch]?.values[position]);
      expect(expected.map((_, row) => valueAt(gathered, row))).toEqual(expected);
      expect(expected.map((_, row) => isNull(gathered, row))).toEqual(
        expected.map((value) => value === null),
      );
    }),
    { numRuns: 300 },
  );
});
