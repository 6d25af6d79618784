// Values in JSON decoded with the kernel and without it: the same rows, the same faults, whatever the records are.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { JSON_ENTRIES_MAX } from '../../../runtime/kernel/json-abi.ts';
import { KERNEL_DECODERS } from '../../../runtime/task/parts.ts';
import { draws } from '../../support/draws.ts';
import { bothReaders, type Given, jsonSource } from '../../support/json-readers.ts';

const HEADER =
  'KEY:STRING key | S:STRING | I:INTEGER | B:BIGINT | D:DOUBLE | T:BOOLEAN | low:STRING | AT:TIMESTAMP | TI:TIME | DA:DATE | É:STRING' +
  ' | AR:ARRAY<INTEGER> | M:MAP<STRING, DOUBLE> | ST:STRUCT<A INTEGER, B STRING> | DE:DECIMAL(8, 3) | BY:BYTES';
const RECORDS = 100;
const RUNS = 1000;

/** Numbers that are hard to read exactly, or at the edge of a type. */
const NUMBERS =
  `0 -0 1 -1 0.1 0.2 0.30000000000000004 1e400 -1e400 1e-400 5e-324 2.2250738585072014e-308 9007199254740991
 9007199254740992 9007199254740993 9007199254740993.0 -9007199254740993 9223372036854775807 9223372036854775808
 -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 2147483647 2147483648 -2147483648
 -2147483649 86399999 86400000 123456789012345.678 0.000001 1E5 1e+5 1e-5 1.5e3 1e22 1e23 8.5e22 123456789.123456789
 0.1234567890123456789 3.141592653589793238 1.7976931348623157e308 1.7976931348623159e308 4.35 0.000244140625 179.99999999999997
 12345678901234567890 0.00000000000000000000000000001 100000000000000000000 1e0 0e0 -0.0 -0e5 7.0385307e-26
 72057594037927945 72057594037927945.5 0.500000000000000166533453693773481063544750213623046875`.split(
    /\s+/u,
  );
const NO_NUMBERS = [
  '01',
  '-',
  '-01',
  '1.',
  '.5',
  '1e',
  '1e+',
  '+1',
  '1.e5',
  '0x10',
  'NaN',
  'Infinity',
  '1_0',
  '--1',
  '00',
];
const OTHERS = [
  'null',
  'true',
  'false',
  'nul',
  'truE',
  '"7"',
  '"-1.5"',
  '"true"',
  '[]',
  '{}',
  '[1,{"a":[]}]',
  '[1, 2 ,null]',
  '[1.5,"7"]',
  '["x"]',
  '{"a":1,"b":null}',
  '{"A":7,"b":"x","a":8}',
  '{"a":{}}',
  '{"S":1}',
  '""',
];
const STRINGS = [
  '"plain"',
  '"sixteen bytes ab"',
  '"seventeen bytes a"',
  '"a text that is longer than thirty-two bytes, and then some more of it"',
  '"\\u00e9\\n\\t\\"\\\\\\/\\b\\f\\r"',
  '"\\ud83d\\ude00"',
  '"\\ud83d"',
  '"\\ude00\\ud83d"',
  '"\\ud83dx\\ude00"',
  '"\\ud83d\\ud83d\\ude00"',
  '"é😀中"',
  '"\\u0000"',
  '"\\x"',
  '"\\u12g4"',
  '"\u0001"',
  '"\n"',
  '"open',
  '"\\"',
];
const NAMES = [
  'S',
  's',
  'I',
  'i',
  'B',
  'D',
  'd',
  'T',
  'low',
  'LOW',
  'Low',
  'AT',
  'ti',
  'DA',
  'É',
  'é',
  'AR',
  'm',
  'ST',
  'DE',
  'by',
  'other',
  '__proto__',
  '',
  '\\u0053',
  'a name that is longer than thirty-two bytes',
];

/** Up to 20 digits with a point somewhere among them or before them. */
const decimals = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.nat(20), fc.nat(30), fc.constantFrom('', '-'))
  .map(([digits, cut, at, sign]) => {
    const text = String(digits)
      .slice(cut)
      .replace(/^0+/u, '')
      .padStart(at + 1, '0');
    return at === 0 ? sign + text : `${sign}${text.slice(0, -at)}.${text.slice(-at)}`;
  });

const scalar = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.constantFrom(...STRINGS, ...OTHERS, ...NO_NUMBERS),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  decimals,
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.json({ maxDepth: 3 }),
);
/** What mostly fits the column that a name means. */
function fitting(name: string): fc.Arbitrary<string> {
  const whole = (min: number, max: number) => fc.integer({ min, max }).map(String);
  const upper = name.toUpperCase();
  if (upper === 'I' || upper === 'DA') return whole(-(2 ** 31), 2 ** 31 - 1);
  if (upper === 'TI') return whole(0, 86_399_999);
  if (upper === 'AT') return whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (upper === 'B') return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
  if (upper === 'D')
    return fc.oneof(decimals, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String));
  if (upper === 'AR')
    return fc.array(fc.integer({ min: -5, max: 2 ** 31 })).map((items) => JSON.stringify(items));
  if (upper === 'M' || upper === 'ST')
    return fc
      .dictionary(
        fc.constantFrom('a', 'A', 'b', 'é'),
        fc.oneof(fc.nat(9), fc.double({ noNaN: true, noDefaultInfinity: true })),
      )
      .map((entries) => JSON.stringify(entries));
  if (upper === 'DE')
    return fc.oneof(
      decimals,
      fc
        .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.nat(3))
        .map(([n, places]) => (n / 1000).toFixed(places)),
    );
  if (upper === 'BY')
    return fc
      .uint8Array({ maxLength: 9 })
      .map((bytes) => `"${Buffer.from(bytes).toString('base64')}"`);
  if (upper === 'T') return fc.constantFrom('true', 'false', 'null');
  return fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
    fc.constantFrom(...STRINGS.slice(0, 12)),
  );
}

function mostlyFitting(name: string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 30, arbitrary: fitting(name) }, { weight: 1, arbitrary: scalar });
}

const gap = fc.constantFrom('', '', '', '', ' ', '\n', ' \t\r\n ');
const member = fc
  .constantFrom(...NAMES)
  .chain((name) => fc.tuple(fc.constant(name), gap, gap, mostlyFitting(name), gap))
  .map(([name, a, b, value, c]) => `"${name}"${a}:${b}${value}${c}`);
const record = fc
  .tuple(gap, fc.array(member, { maxLength: 8 }), gap)
  .map(([a, members, b]) => `${a}{${members.join(',')}}${b}`);

/** Records of one shape, as a stream mostly has them. */
const alike = fc
  .uniqueArray(fc.constantFrom(...NAMES.slice(0, 21)), { maxLength: 8 })
  .chain((names) =>
    fc.array(
      fc
        .tuple(...names.map(mostlyFitting))
        .map((values) => `{${names.map((name, i) => `"${name}":${values[i]}`).join(',')}}`),
      { minLength: RECORDS, maxLength: RECORDS },
    ),
  );

const byte = fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 3 }));
const mutated: fc.Arbitrary<Given> = fc
  .tuple(record, fc.array(byte, { minLength: 1, maxLength: 3 }))
  .map(([text, mutations]) => {
    let bytes = encodeUtf8(text);
    for (const [where, cut, added] of mutations) {
      const at = where % (bytes.length + 1);
      bytes = Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + cut)]);
    }
    return bytes;
  });
const given: fc.Arbitrary<Given> = fc.oneof(
  { weight: 6, arbitrary: record },
  { weight: 3, arbitrary: mutated },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Given>(null, '', 'null', ' null ', 'nullx', '[]', '7', '"x"', ' '),
  },
);

const both = bothReaders(jsonSource(HEADER));

/** What both readers make of the values, as texts: that is many times faster to compare, and shows what differs all the same. */
function shown(
  values: readonly Given[],
  readers = both,
  ends?: readonly number[],
): { kernel: string; plain: string } {
  const [kernel, plain] = readers(values, ends);
  return { kernel: JSON.stringify(kernel, null, 1), plain: JSON.stringify(plain, null, 1) };
}

test('generated records are the same rows and the same faults', () => {
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: RECORDS }), (values) => {
      const made = shown(values);
      expect(made.kernel).toBe(made.plain);
    }),
    { numRuns: RUNS },
  );
});

test('a batch that is cut anywhere is the same rows and the same faults', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 29 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(given, { minLength: 30, maxLength: 30 }), cuts, (values, at) => {
      const ends = [...new Set([...at, 30])].toSorted((a, b) => a - b);
      const made = shown(values, both, ends);
      expect(made.kernel).toBe(made.plain);
    }),
    { numRuns: 200 },
  );
});

test('records of one shape are the same rows and the same faults', () => {
  fc.assert(
    fc.property(alike, (values) => {
      const made = shown(values);
      expect(made.kernel).toBe(made.plain);
    }),
    { numRuns: RUNS / 10 },
  );
});

/** Texts of numbers, most of them with many digits, from a seed: made by hand, since there are a great many. */
function numbersOf(seed: number, count: number): string[] {
  const below = draws(seed);
  const float = new Float64Array(1);
  const words = new Uint32Array(float.buffer);
  return Array.from({ length: count }, () => {
    const kind = below(8);
    if (kind === 0) return NUMBERS[below(NUMBERS.length)] as string;
    if (kind === 1) return `${below(2) === 0 ? '-' : ''}${below(2 ** 32)}${below(10 ** 9)}`;
    if (kind === 2) {
      words[0] = below(2 ** 32);
      words[1] = below(2 ** 32);
      return Number.isFinite(float[0]) ? String(float[0]) : '0';
    }
    if (kind === 3) return String((below(2 ** 32) * 2 ** 21 + below(2 ** 21)) / 2 ** 53);
    const digits = `${1 + below(9)}${below(10 ** 9)}${below(10 ** 9)}`.slice(0, 1 + below(19));
    const places = below(28);
    const text = digits.padStart(places + 1, '0');
    const sign = below(4) === 0 ? '-' : '';
    const exponent = kind === 4 ? `e${below(50) - 25}` : '';
    return places === 0
      ? sign + digits + exponent
      : `${sign}${text.slice(0, -places)}.${text.slice(-places)}${exponent}`;
  });
}

test('numbers are the same, to the last bit', () => {
  const readers = bothReaders(
    jsonSource('D:DOUBLE | B:BIGINT | I:INTEGER | AT:TIMESTAMP | TI:TIME | DA:DATE'),
  );
  const names = ['D', 'D', 'D', 'B', 'I', 'AT', 'TI', 'DA'];
  fc.assert(
    fc.property(fc.integer({ min: 1 }), (seed) => {
      const texts = numbersOf(seed, 2000);
      const values = texts.map((text, i) => `{"${names[i % names.length]}":${text}}`);
      const made = shown(values, readers);
      expect(made.kernel).toBe(made.plain);
    }),
    { numRuns: 35 },
  );
});

test('a column that is read for the rowtimes alone gives the same rowtimes and the same faults', () => {
  // Where the kernel is a whole one, it becomes doubles without integers between.
  expect(KERNEL_DECODERS.fetched).toBeDefined();
  const readers = bothReaders({
    ...jsonSource('S:STRING'),
    sourceSchema: prettySchema('S:STRING | AT:BIGINT'),
    timestamp: { column: 'AT', format: null },
  });
  const times = fc.oneof(
    { weight: 30, arbitrary: fc.integer({ min: 0, max: 4e12 }).map(String) },
    { weight: 1, arbitrary: scalar },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String) },
  );
  const records = fc.oneof(
    { weight: 20, arbitrary: times.map((at) => `{"S":"a","AT":${at}}`) },
    { weight: 1, arbitrary: fc.constantFrom<Given>('{"S":"b"}', null, '{', '{"at":-0,"S":"c"}') },
  );
  fc.assert(
    fc.property(fc.array(records, { minLength: 1, maxLength: 30 }), (values) => {
      const made = shown(values, readers);
      expect(made.kernel).toBe(made.plain);
    }),
    { numRuns: RUNS },
  );
});

test('null rows, records without a value and bad keys leave rows that agree, of tables too', () => {
  const values = ['{"S":"a"}', null, 'null', '{"S":1}', '{', '{"S":"b"}', '', '{"S":"a","I":null}'];
  const made = [
    shown(values),
    shown(values, bothReaders(jsonSource(HEADER, 'table'))),
    shown(['{']),
  ];
  expect(made.map(({ kernel }) => kernel)).toEqual(made.map(({ plain }) => plain));
});

test('a topic whose records go on bringing new strings and other values is read to its end', () => {
  const readers = bothReaders(jsonSource('S:STRING | L:STRING | A:ARRAY<STRING>'));
  // More than JSON_ENTRIES_MAX of them: they are forgotten twice on the way.
  for (let chunk = 0; chunk < (2.5 * JSON_ENTRIES_MAX) / 4000; chunk++) {
    const values = Array.from({ length: 4096 }, (_, i) => {
      const text = `text ${chunk * 4000 + i}`;
      // Of each four, three come again.
      const items = `["${text}",${i >> 2}]`;
      return `{"S":"${text}","L":"${text} of more than sixteen bytes","A":${i % 4 === 0 ? items : `[${i % 9}]`}}`;
    });
    const made = shown(values, readers);
    expect(made.kernel).toBe(made.plain);
  }
});

test('records of which none has a key, all have one or some do are rows alike, from any record on', () => {
  const read = bothReaders(jsonSource('S:STRING | N:BIGINT'));
  const values = Array.from({ length: 50 }, (_, i) => `{"S":"s${i % 7}","N":${i}}`);
  const keysOf = [
    () => null,
    () => '',
    (i: number) => `k${i}`,
    (i: number) => (i > 30 ? '' : null),
  ];
  for (const keyOf of keysOf) {
    const [kernel, plain] = read(values, [1, 9, 33, 50], keyOf);
    expect(kernel).toEqual(plain);
  }
});
