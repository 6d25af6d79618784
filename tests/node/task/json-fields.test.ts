// Fields of STRUCT columns decoded with the kernel and without it, and beside the decoder of whole structs: the same values and faults.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import type { SchemaColumn } from '../../../runtime/data/schema.ts';
import type { Type, Value } from '../../../runtime/data/type.ts';
import { JSON_NESTING_MAX } from '../../../runtime/kernel/json-abi.ts';
import { bothReaders, type Given, jsonSource, textOf } from '../../support/json-readers.ts';

const HEADER =
  'KEY:STRING key | N:BIGINT | S:STRUCT<A STRING, I INTEGER, T STRUCT<B BIGINT, D DOUBLE, U STRUCT<`É` STRING, AT TIMESTAMP>>, `low` BOOLEAN>';
const WHOLE = jsonSource(HEADER);

function fieldOf(path: readonly string[]): SchemaColumn {
  const [top, ...inner] = path;
  let type = WHOLE.schema.columns.find(({ name }) => name === top)?.type as Type;
  for (const step of inner) {
    if (type.kind !== 'STRUCT') throw new Error('a field is of a STRUCT');
    type = type.fields.find(({ name }) => name === step)?.type as Type;
  }
  return { name: path.join('->'), type, role: 'value', path };
}

const PATHS = ['S A', 'S I', 'S T B', 'S T D', 'S T U É', 'S T U AT', 'S low'].map((path) =>
  path.split(' '),
);

/** The step that reads N and these fields. */
function reading(paths: readonly (readonly string[])[]): typeof WHOLE {
  const fields = paths.map(fieldOf);
  const { columns } = WHOLE.sourceSchema;
  return {
    ...WHOLE,
    sourceSchema: { columns: [...columns, ...fields] },
    schema: { columns: [...columns.slice(0, 2), ...fields] },
  };
}

const ALL = reading(PATHS);
const both = bothReaders(ALL);

/** JSON of a struct whose fields may be in any order, missing, null, of another kind, there twice or in other case. */
function struct(members: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> {
  const rare = fc.constantFrom('null', '7', '"x"', '[]', '{}', '{"A":1}', 'true', '1.5', 'nul', '');
  const named = fc
    .constantFrom(...Object.keys(members), 'other')
    .chain((name) =>
      fc.tuple(
        fc.constantFrom(name, name, name, name.toLowerCase(), name.toUpperCase()),
        fc.oneof(
          { weight: 12, arbitrary: members[name] ?? fc.json({ maxDepth: 2 }) },
          { weight: 1, arbitrary: rare },
        ),
        fc.constantFrom('', '', '', ' ', '\n\t'),
      ),
    )
    .map(([name, value, gap]) => `${gap}"${name}"${gap}:${gap}${value}${gap}`);
  const items = fc.uniqueArray(named, { maxLength: 6, selector: (item) => item.split(':')[0] });
  const twice = fc.array(named, { maxLength: 5 });
  return fc
    .oneof({ weight: 9, arbitrary: items }, { weight: 1, arbitrary: twice })
    .map((all) => `{${all.join(',')}}`);
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\u00e9"', '"a\\n"', '"sixteen bytes ab"'),
);
const whole = fc.integer().map(String);
const inner = struct({ É: text, '\\u00c9': text, AT: whole });
const middle = struct({
  B: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  D: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  U: inner,
});
const record = struct({
  N: whole,
  S: struct({ A: text, I: whole, T: middle, low: fc.constantFrom('true', 'false') }),
});
const cut = fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom('', '"', '{', '}', ',', ':', '1', ' '));
const mutated = fc
  .tuple(record, fc.array(cut, { minLength: 1, maxLength: 2 }))
  .map(([of, cuts]) => {
    let made = of;
    for (const [where, length, added] of cuts) {
      const at = where % (made.length + 1);
      made = made.slice(0, at) + added + made.slice(at + length);
    }
    return made;
  });
const given: fc.Arbitrary<Given> = fc.oneof(
  { weight: 8, arbitrary: record },
  { weight: 3, arbitrary: mutated },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Given>(null, 'null', '{}', '{"S":{}}', '{"S":{"T":{}}}'),
  },
);

test('generated and mutated records are the same rows and the same faults', () => {
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 50 }), (values) => {
      const [kernel, plain] = both(values);
      expect(JSON.stringify(kernel, null, 1)).toBe(JSON.stringify(plain, null, 1));
    }),
    { numRuns: 150 },
  );
});

interface Shown {
  readonly columns?: readonly (readonly string[])[];
  readonly origin?: readonly number[];
}

test('a field is what it is in the whole struct, of each record that is good as a whole', () => {
  const [, readWhole] = [0, bothReaders(WHOLE)];
  fc.assert(
    fc.property(
      fc.array(given, { minLength: 1, maxLength: 30 }),
      fc.subarray(PATHS, { minLength: 1 }),
      (values, paths) => {
        const [[structs]] = [readWhole(values)[1] as Shown[]];
        const [[fields]] = [bothReaders(reading(paths))(values)[0] as Shown[]];
        (structs?.origin ?? []).forEach((index, row) => {
          const at = fields?.origin?.indexOf(index) ?? -1;
          expect(at).toBeGreaterThanOrEqual(0);
          const value: unknown = JSON.parse(
            structs?.columns?.[2]?.[row] ?? 'null',
            (_, part: unknown) => {
              if (part === '-0n') return -0;
              const isWhole = typeof part === 'string' && /^-?\d+n$/u.test(part);
              return isWhole ? BigInt(part.slice(0, -1)) : part;
            },
          );
          paths.forEach((path, i) => {
            expect(fields?.columns?.[2 + i]?.[at]).toBe(textOf(partOf(value as Value, path)));
          });
        });
      },
    ),
    { numRuns: 60 },
  );
});

function partOf(value: Value, path: readonly string[]): Value {
  let type = WHOLE.schema.columns[2]?.type as Type;
  let part = value;
  for (const step of path.slice(1)) {
    if (type.kind !== 'STRUCT') throw new Error('a field is of a STRUCT');
    const place = type.fields.findIndex(({ name }) => name === step);
    part = (part as readonly Value[] | null)?.[place] ?? null;
    type = type.fields[place]?.type as Type;
  }
  return part;
}

test('records of one shape after others, and what stands behind a value, are never taken for more than they are', () => {
  const values = [
    '{"N":1,"S":{"I":2}}',
    '{"S":{"x":1{"I":2}}}',
    '{"N":1,"S":{"I":2}}',
    '{"S":{"I":2},"N":1}',
    '{"N":1,"S":{"T":{"B":3,"U":{"AT":5}},"I":2}}',
    '{"N":1,"S":{"T":{"B":3,"U":{"AT":5},"I":2}}}',
    '{"N":1,"S":null,"I":7}',
    '{"N":1,"S":{"I":2}',
    '{"N":1,"S":{',
    '"I":2}}',
    '{"S":{"I":2},"S":{"A":"later"}}',
    '{"S":{"I":2},"s":{"A":"other case"}}',
    '{"S":{"I":1,"i":2,"T":{"B":1,"B":2}}}',
    '{"S":7}',
    '{"S":{"T":"x"}}',
    '{"S":{"I":"12","A":13,"T":{"D":"1e3"}}}',
    '{"S":{"I":1.5}}',
    '{ "S" : { "T" : { "U" : { } , "B" : 1 } , "I" : 2 } , "N" : 3 }',
    '{"S":{"\\u0049":9,"T":{"U":{"\\u00e9":"learnt"}}}}',
    '{"I":9,"B":8,"T":{"B":7},"S":{"B":6}}',
  ];
  for (const order of [values, values.toReversed(), values.flatMap((value) => [value, value])]) {
    const [kernel, plain] = both(order);
    expect(kernel).toEqual(plain);
  }
});

test('structs nest as deep as JSON may, and no deeper', () => {
  const names = Array.from({ length: JSON_NESTING_MAX - 1 }, (_, i) => `F${i}`);
  const type = names.reduceRight<Type>(
    (field, name) => ({ kind: 'STRUCT', fields: [{ name, type: field }] }),
    { kind: 'INTEGER' },
  );
  const path = ['S', ...names];
  const leaf: SchemaColumn = {
    name: path.join('->'),
    type: { kind: 'INTEGER' },
    role: 'value',
    path,
  };
  const step = {
    ...WHOLE,
    sourceSchema: { columns: [{ name: 'S', type, role: 'value' } as const, leaf] },
    schema: { columns: [leaf] },
  };
  const open = path.map((name) => `{"${name}":`).join('');
  const texts = [
    `${open}7${'}'.repeat(path.length)}`,
    `${open}{"x":7}${'}'.repeat(path.length)}`,
    `${open.slice(0, -1)}":[],"${names.at(-1)}":8${'}'.repeat(path.length)}`,
  ];
  const [kernel, plain] = bothReaders(step)(texts);
  expect(kernel).toEqual(plain);
  expect(JSON.stringify(kernel)).toContain('["7"]');
  expect(encodeUtf8(path.join('')).length).toBeLessThan(8192);
});
