// Generators of types, values and batches for property tests; knows no property.

import fc from 'fast-check';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { type Batch, type Op, select } from '../../../runtime/data/batch.ts';
import { schema } from '../../../runtime/data/schema.ts';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  type Value,
  array,
  decimal,
  map,
  struct,
} from '../../../runtime/data/type.ts';

const SCALARS: readonly Type[] = [
  BOOLEAN,
  INTEGER,
  BIGINT,
  DOUBLE,
  decimal(38, 4),
  STRING,
  BYTES,
  TIME,
  DATE,
  TIMESTAMP,
];

/** Types that can be compared with `<`, so that their keys have an order. */
export const orderedTypes = fc.constantFrom(...SCALARS);

export const types: fc.Arbitrary<Type> = fc.oneof(
  { weight: 5, arbitrary: orderedTypes },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      array(BIGINT),
      map(STRING, DOUBLE),
      struct([
        { name: 'A', type: STRING },
        { name: 'B', type: array(map(STRING, decimal(9, 2))) },
      ]),
    ),
  },
);

const text = fc
  .oneof(
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('', 'a', 'b', '\0'),
  )
  .map((value) => value.toWellFormed());

/** A value of the type, never null at the top. */
export function present(type: Type): fc.Arbitrary<Value> {
  switch (type.kind) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'INTEGER':
    case 'DATE':
      return fc.integer();
    case 'TIME':
      return fc.integer({ min: 0, max: 86_399_999 });
    case 'BIGINT':
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.bigInt({ min: -9n, max: 9n }),
      );
    case 'DOUBLE':
      return fc.double();
    case 'TIMESTAMP':
      return fc.integer({ min: -1e12, max: 1e13 });
    case 'DECIMAL':
      return fc.oneof(
        fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
        fc.bigInt({ min: -300n, max: 300n }),
      );
    case 'STRING':
      return text;
    case 'BYTES':
      return fc.uint8Array({ maxLength: 6 });
    case 'ARRAY':
      return fc.array(nullable(type.item), { maxLength: 3 });
    case 'MAP':
      return fc
        .array(fc.tuple(present(type.key), nullable(type.value)), { maxLength: 3 })
        .map((entries) => new Map(entries));
    case 'STRUCT':
      return fc.tuple(...type.fields.map((field) => nullable(field.type)));
  }
}

/** A value of the type or null. */
export function nullable(type: Type): fc.Arbitrary<Value> {
  return fc.option(present(type), { freq: 4 });
}

/** Batches of any schema, with or without op, null keys and values, origins and a selection. */
export const batches: fc.Arbitrary<Batch> = fc
  .record({
    columns: fc.array(types, { minLength: 1, maxLength: 4 }),
    rows: fc.integer({ min: 1, max: 40 }),
    ops: fc.boolean(),
    origins: fc.boolean(),
    nulls: fc.boolean(),
    selected: fc.boolean(),
  })
  .chain((shape) =>
    fc
      .record({
        rows: fc.array(
          fc.record({
            values: fc.tuple(...shape.columns.map(nullable)),
            rowtime: fc.nat({ max: 2 ** 40 }),
            op: fc.constantFrom<Op>(0, 1, 2, 3),
            keyNull: fc.boolean(),
            valueNull: fc.boolean(),
          }),
          { minLength: shape.rows, maxLength: shape.rows },
        ),
        keep: fc.array(fc.boolean(), { minLength: shape.rows, maxLength: shape.rows }),
      })
      .map(({ rows, keep }) => {
        const builder = new BatchBuilder(
          schema(
            shape.columns.map((type, i) => ({
              name: `C${i}`,
              type,
              role: i === 0 ? 'key' : 'value',
            })),
          ),
        );
        rows.forEach((row, i) => {
          builder.append(
            row.values,
            row.rowtime,
            shape.ops ? row.op : null,
            shape.origins ? i : null,
          );
          if (shape.nulls && row.keyNull) builder.markKeyNull();
          if (shape.nulls && row.valueNull) builder.markValueNull();
        });
        const whole = builder.finish();
        if (whole === null) throw new Error('at least one row was appended');
        const positions = Uint32Array.from(rows.keys()).filter((i) => keep[i] === true);
        return shape.selected ? (select(whole, positions) ?? whole) : whole;
      }),
  );

/** What the call throws, or null. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return null;
  } catch (thrown) {
    return thrown;
  }
}
