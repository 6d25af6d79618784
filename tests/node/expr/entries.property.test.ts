// Over one column of which it is known which rows hold the same a value is computed once for those: the same values, failures and random numbers as row by row.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RecordError } from '../../../runtime/base/errors.ts';
import { positionOf, select } from '../../../runtime/data/batch.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { array, INTEGER, STRING, type Value } from '../../../runtime/data/type.ts';
import { VALUE_CODES } from '../../../runtime/data/value-codes.ts';
import { compile, type Evaluation } from '../../../runtime/expr/evaluate.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { compileRows, type RowContext } from '../../../runtime/expr/rows.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { call, cast, column, compare, literal, text } from '../../support/expressions.ts';

const registry = builtinRegistry();
const SCHEMA = schema([
  { name: 'T', type: STRING, role: 'value' },
  { name: 'N', type: INTEGER, role: 'value' },
  { name: 'L', type: array(STRING), role: 'value' },
]);
const T = column(0, STRING);
const L = column(2, array(STRING));
/** What rows share, by its number. */
const LISTS: readonly (Value | null)[] = [['7', 'x'], [' 7'], [], null, ['7', 'x']];

const EXPRESSIONS: readonly Expr[] = [
  call('UCASE', T),
  call('LEN', T),
  compare('=', call('TRIM', T), text('7')),
  // Null, 'x' and '' fail, each row for itself.
  cast(T, INTEGER),
  call('CONCAT', T, text('-'), T),
  call('COALESCE', T, text('none')),
  // An item that fails is null and told, and the rest stays.
  { expr: 'array', items: [cast(T, INTEGER), literal(1, INTEGER)], type: array(INTEGER) },
  call('CONCAT', T, cast(call('RANDOM'), STRING)),
  call('SPLIT', T, text('')),
  call('ARRAY_JOIN', L, text(',')),
  call('ARRAY_LENGTH', L),
  // Null, an item that fails, and one that is no number.
  cast({ expr: 'subscript', base: L, index: literal(1, INTEGER), type: STRING }, INTEGER),
  call('CONCAT', call('ARRAY_JOIN', L, text('')), cast(call('RANDOM'), STRING)),
  // Of two columns, and of none.
  call('CONCAT', T, call('ARRAY_JOIN', L, text('-'))),
  call('CONCAT', T, cast(column(1, INTEGER), STRING)),
  call('RANDOM'),
];

const rows = fc.array(
  fc.tuple(
    fc.constantFrom('7', ' 7', 'x', 'Zürich', '', null),
    fc.integer({ min: 0, max: 2 }),
    fc.nat(LISTS.length - 1),
  ),
  { minLength: 1, maxLength: 24 },
);

/** An evaluation that keeps what it is told, and draws by row. */
function told(): Evaluation & { readonly failures: string[] } {
  const failures: string[] = [];
  const drawn = new Map<number, number>();
  return {
    failures,
    at: (position): RowContext => ({
      now: 17,
      random() {
        drawn.set(position, (drawn.get(position) ?? 0) + 1);
        return (position + 1) / 64 + (drawn.get(position) as number) / 1024;
      },
      itemFailed: (reason) => failures.push(`${position}, an item: ${reason}`),
    }),
    failed: (position, reason) => failures.push(`${position}: ${reason}`),
  };
}

test('a value of a text is that of each of its rows', () => {
  const keeps = fc.option(fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }));
  fc.assert(
    fc.property(fc.constantFrom(...EXPRESSIONS), rows, keeps, (expr, given, keep) => {
      const builder = new BatchBuilder(SCHEMA);
      for (const [t, n, list] of given) builder.append([t, n, LISTS[list] ?? null], 0, null, null);
      const whole = builder.finish();
      if (whole === null) throw new Error('rows make a batch');
      const lists = whole.columns[2];
      if (lists?.storage !== 'objects') throw new Error('lists are objects');
      const codes = Uint32Array.from(given, ([, , list]) => list);
      VALUE_CODES.set(lists.values, { codes, size: LISTS.length });
      const kept = [...given.keys()].filter((i) => keep === null || keep[i] === true);
      const batch = keep === null ? whole : select(whole, Uint32Array.from(kept));
      if (batch === null) return;

      const rowValue = compileRows(expr, registry);
      const expected = told();
      const values = kept.map((position): Value => {
        try {
          return rowValue(batch, position, expected.at(position));
        } catch (thrown) {
          if (!(thrown instanceof RecordError)) throw thrown;
          expected.failed(position, thrown.message);
          return null;
        }
      });

      const actual = told();
      const computed = compile(expr, registry)(batch, actual);
      const shown = kept.map((_, i) => valueAt(computed, positionOf(batch, i)));
      expect({ values: shown, failures: actual.failures }).toEqual({
        values,
        failures: expected.failures,
      });
    }),
    { numRuns: 2000 },
  );
});

test('a text that is cut within a pair is well-formed, whether rows share it or not', () => {
  for (const count of [1, 40]) {
    const builder = new BatchBuilder(SCHEMA);
    for (let i = 0; i < count; i++) builder.append(['😀', i, null], 0, null, null);
    const batch = builder.finish();
    if (batch === null) throw new Error('rows make a batch');
    const cut = compile(call('SUBSTRING', T, literal(1, INTEGER), literal(1, INTEGER)), registry);
    expect(valueAt(cut(batch, told()), 0)).toBe('\ufffd');
  }
});

test('a text that many rows have is looked at once', () => {
  const builder = new BatchBuilder(SCHEMA);
  for (let i = 0; i < 100; i++) builder.append([i % 2 === 0 ? 'a' : null, i, null], 0, null, null);
  const batch = builder.finish();
  if (batch === null) throw new Error('rows make a batch');
  let asked = 0;
  const evaluation = told();
  const counted: Evaluation = {
    at: (position) => (asked++, evaluation.at(position)),
    failed: () => expect.unreachable(),
  };
  compile(call('UCASE', T), registry)(batch, counted);
  expect(asked).toBe(2);
});
