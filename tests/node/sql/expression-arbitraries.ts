// Makes random expressions and type names, as syntax trees that the grammar can write; knows nothing of printing.

import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Expression, Literal, Name, TimeUnit, TypeName } from '../../../runtime/sql/ast.ts';

const at = { line: 1, column: 1 };

/** Names: ordinary ones, words of the grammar, and anything else that backticks can hold. */
export const names: Arbitrary<Name> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom('A', 'B', 'ID', 'ORDER_ID', '_X', 'K1') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...'SELECT FROM EMIT KEY IF ARRAY MAP STRUCT DAY TABLES FUNCTION ESCAPE ORDER PARTITION COLUMN GRACE HEADER EXPLAIN SESSION TIME INTERVAL NULL TRUE NOT'.split(
          ' ',
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'lower',
        'a`b',
        'with.dot',
        '1R',
        '9',
        'größe',
        '${v}',
        '$${v}',
        '--',
        "it's",
        '__proto__',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }) },
  )
  .map((text) => ({ text, at }));

/** Texts, among them such as look like other tokens. */
export const texts: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    "it's",
    "''",
    '${v}',
    '$${v}',
    '$$${v}',
    '--',
    '/*',
    ';',
    '`',
    '"',
    '\n',
  ),
  fc.string({ unit: 'binary', maxLength: 10 }),
);

export const units: Arbitrary<TimeUnit> = fc.constantFrom(
  'MILLISECONDS',
  'SECONDS',
  'MINUTES',
  'HOURS',
  'DAYS',
);

const INT_MAX = 2 ** 31 - 1;

export const literals: Arbitrary<Literal> = fc.oneof(
  fc.constant<Literal>({ kind: 'Null', at }),
  fc.boolean().map((value): Literal => ({ kind: 'Boolean', value, at })),
  fc
    .integer({ min: -INT_MAX - 1, max: INT_MAX })
    .map((value): Literal => ({ kind: 'Integer', value, at })),
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .filter((value) => value > BigInt(INT_MAX) || value < -BigInt(INT_MAX) - 1n)
    .map((value): Literal => ({ kind: 'Long', value, at })),
  fc
    .constantFrom('0', '1', '0.0', '-1', '1.50', '-0.10', '123456789012345678901234567890.0001')
    .map((text): Literal => ({ kind: 'Decimal', text, at })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value): Literal => ({ kind: 'Double', value, at })),
  texts.map((value): Literal => ({ kind: 'String', value, at })),
);

export const types: Arbitrary<TypeName> = fc.letrec<{ type: TypeName }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.oneof(
      names.map((name): TypeName => ({ kind: 'NamedType', name, parameters: [], at })),
      fc.nat(999).map((length): TypeName => ({
        kind: 'NamedType',
        name: { text: 'VARCHAR', at },
        parameters: [length],
        at,
      })),
      fc
        .tuple(fc.nat(38), fc.nat(38))
        .map(([precision, scale]): TypeName => ({ kind: 'DecimalType', precision, scale, at })),
    ),
    tie('type').map((element): TypeName => ({ kind: 'ArrayType', element, at })),
    fc
      .tuple(tie('type'), tie('type'))
      .map(([key, value]): TypeName => ({ kind: 'MapType', key, value, at })),
    fc
      .array(fc.record({ name: names, type: tie('type') }), { maxLength: 3 })
      .map((fields): TypeName => ({ kind: 'StructType', fields, at })),
  ),
})).type;

type Of<K> = Extract<Expression, { readonly kind: K }>;

/** One node of a kind, from arbitraries of its parts. */
function node<K extends Expression['kind']>(
  kind: K,
  parts: { [N in Exclude<keyof Of<K>, 'kind' | 'at'>]: Arbitrary<Of<K>[N]> },
): Arbitrary<Expression> {
  const record: Arbitrary<object> = fc.record<Record<string, unknown>>(parts);
  // The compiler cannot follow a union through its keys; `parts` above has every one of them.
  return record.map((made) => ({ ...made, kind, at }) as unknown as Expression);
}

type Parts = {
  expression: Expression;
  argument: Expression;
  composite: Expression;
};

/** Every kind of expression. */
export const expressions: Arbitrary<Expression> = fc.letrec<Parts>((tie) => {
  const any = tie('expression');
  const some = fc.array(any, { maxLength: 3 });
  const names1 = fc.array(names, { minLength: 1, maxLength: 3 });
  const whens = fc.array(fc.record({ condition: any, result: any, at: fc.constant(at) }), {
    minLength: 1,
    maxLength: 2,
  });
  const otherwise = fc.option(any, { nil: null });
  return {
    expression: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      tie('argument'),
      tie('composite'),
    ),
    argument: fc.oneof(
      literals,
      node('Column', { source: fc.option(names, { nil: null }), name: names }),
      node('TypedLiteral', { type: names, value: texts }),
    ),
    composite: fc.oneof(
      node('Field', { operand: any, field: names }),
      node('Subscript', { operand: any, index: any }),
      node('Call', { name: names, arguments: fc.constant([]), star: fc.constant(true) }),
      node('Call', {
        name: names,
        arguments: fc.array(
          fc.oneof(
            { weight: 4, arbitrary: any },
            {
              weight: 1,
              arbitrary: units.map((unit): Expression => ({ kind: 'IntervalUnit', unit, at })),
            },
            { weight: 1, arbitrary: node('Lambda', { parameters: names1, body: any }) },
          ),
          { maxLength: 3 },
        ),
        star: fc.constant(false),
      }),
      node('Arithmetic', {
        operator: fc.constantFrom('+', '-', '*', '/', '%'),
        left: any,
        right: any,
      }),
      node('Negate', { operator: fc.constantFrom('-', '+'), operand: any }),
      node('Comparison', {
        operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
        left: any,
        right: any,
      }),
      node('Logical', {
        operator: fc.constantFrom('AND', 'OR'),
        operands: fc.array(any, { minLength: 2, maxLength: 3 }),
      }),
      node('Not', { operand: any }),
      node('Between', { negated: fc.boolean(), operand: any, low: any, high: any }),
      node('In', {
        negated: fc.boolean(),
        operand: any,
        options: fc.array(any, { minLength: 1, maxLength: 3 }),
      }),
      node('Like', {
        negated: fc.boolean(),
        operand: any,
        pattern: any,
        escape: fc.constantFrom(null, '\\', "'", '!'),
      }),
      node('IsNull', { negated: fc.boolean(), operand: any }),
      node('IsDistinct', { negated: fc.boolean(), left: any, right: any }),
      node('SimpleCase', { operand: any, whens, otherwise }),
      node('SearchedCase', { whens, otherwise }),
      node('Cast', { operand: any, type: types }),
      node('Array', { elements: some }),
      node('Map', { entries: fc.array(fc.record({ key: any, value: any }), { maxLength: 2 }) }),
      node('Struct', {
        fields: fc.array(fc.record({ name: names, value: any }), { maxLength: 2 }),
      }),
      node('AtTimeZone', { operand: any, zone: texts }),
    ),
  };
}).expression;
