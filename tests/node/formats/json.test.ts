// The JSON format: names, coercions as ksqlDB documents them, paths of errors, and what is written.

import { expect, test } from 'vitest';
import { JSON_DEPTH_MAX } from '../../../runtime/base/limits.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { JSON_FORMAT } from '../../../runtime/formats/json.ts';
import { decoding, encoding, spec, textOf } from './serde-harness.ts';

const wrapped = spec('JSON', true);
const bare = spec('JSON', false);

/** Decodes one record into the columns of a header. */
function read(header: string, record: string | Uint8Array, how = wrapped): unknown[] {
  return decoding(JSON_FORMAT, header, how)(record).values;
}

test('takes members in any order, skips the others, and a missing one is null', () => {
  const text = '{"x":[{"deep":{"er":[1,2,{}]}}],"B":"b","A":1, "y" : null}';
  expect(read('A:BIGINT | B:STRING | C:DOUBLE', text)).toEqual([1n, 'b', null]);
});

test('decodes wanted columns only', () => {
  const decode = decoding(JSON_FORMAT, 'A:BIGINT | B:STRING | C:DOUBLE', wrapped, [2]);
  expect(decode('{"A":"not read","B":true,"C":1.5}').values).toEqual([1.5]);
});

test('a name matches exactly first, then upper-cased; the last of equals wins', () => {
  expect(read('NAME:STRING', '{"name":"lower"}')).toEqual(['lower']);
  expect(read('NAME:STRING', '{"NAME":"exact","name":"lower"}')).toEqual(['exact']);
  expect(read('NAME:STRING', '{"name":"lower","NAME":"exact"}')).toEqual(['exact']);
  expect(read('NAME:STRING', '{"name":"first","Name":"second"}')).toEqual(['second']);
  expect(read('NAME:STRING', '{"NAME":"first","NAME":"second"}')).toEqual(['second']);
  expect(read('name:STRING', '{"NAME":"upper"}')).toEqual([null]);
  expect(read('name:STRING | NAME:STRING', '{"name":"l","NAME":"u"}')).toEqual(['l', 'u']);
  expect(read('A:STRING', '{"\\u0041":"escaped"}')).toEqual(['escaped']);
  expect(read('Ä:STRING', '{"ä":"umlaut"}')).toEqual(['umlaut']);
});

test('the same decoder reads records of different shapes', () => {
  const decode = decoding(JSON_FORMAT, 'A:BIGINT | B:BIGINT', wrapped);
  const texts = [
    '{"A":1,"B":2}',
    '{"B":2,"A":1}',
    '{"a":1,"z":0,"b":2}',
    '{"A":1,"AB":3,"B":2}',
    '{"B":2,"A":1}',
  ];
  for (const text of texts) expect(decode(text).values).toEqual([1n, 2n]);
  expect(decode('{}').values).toEqual([null, null]);
});

test('any number of names passes through one decoder', () => {
  const decode = decoding(JSON_FORMAT, 'A:BIGINT', wrapped);
  for (let i = 0; i < 3000; i++) {
    expect(decode(`{"x${i}":0,"a":${i},"${'y'.repeat(i % 200)}":1}`).values).toEqual([BigInt(i)]);
  }
});

test('__proto__ and constructor are ordinary names', () => {
  const text = '{"__proto__":"p","constructor":{"__proto__":7}}';
  expect(read('__proto__:STRING | constructor:MAP<STRING, INTEGER>', text)).toEqual([
    'p',
    new Map([['__proto__', 7]]),
  ]);
});

test('whole numbers keep their digits and their bounds', () => {
  const max = '9223372036854775807';
  const min = '-9223372036854775808';
  expect(read('N:BIGINT', `{"N":${max}}`)).toEqual([BigInt(max)]);
  expect(read('N:BIGINT', `{"N":${min}}`)).toEqual([BigInt(min)]);
  expect(read('N:BIGINT', '{"N":999999999999999}')).toEqual([999_999_999_999_999n]);
  expect(read('N:BIGINT', '{"N":-9007199254740993}')).toEqual([-9_007_199_254_740_993n]);
  expect(() => read('N:BIGINT', '{"N":9223372036854775808}')).toThrow('out of range for BIGINT');
  expect(read('N:INTEGER', '{"N":-2147483648}')).toEqual([-2_147_483_648]);
  expect(() => read('N:INTEGER', '{"N":2147483648}')).toThrow('out of range for INTEGER');
});

test('numbers in quotes and fractions are taken for whole columns', () => {
  expect(read('N:BIGINT', '{"N":"12"}')).toEqual([12n]);
  expect(read('N:INTEGER', '{"N":"-7"}')).toEqual([-7]);
  expect(read('N:INTEGER', '{"N":1.9}')).toEqual([1]);
  expect(read('N:BIGINT', '{"N":-1.5e3}')).toEqual([-1500n]);
  expect(read('N:BIGINT', '{"N":123456789012345678.9}')).toEqual([123_456_789_012_345_678n]);
  expect(read('N:BIGINT', '{"N":0.0001e-99}')).toEqual([0n]);
  expect(() => read('N:BIGINT', '{"N":1e19}')).toThrow('out of range');
  expect(() => read('N:BIGINT', '{"N":"1.0"}')).toThrow('"1.0" is no BIGINT');
  expect(() => read('N:INTEGER', '{"N":true}')).toThrow('a boolean is no INTEGER');
});

test('doubles are rounded as JSON.parse rounds them', () => {
  for (const text of [
    '0.1',
    '1e400',
    '-0',
    '5e-324',
    '123456789012345680',
    '1.7976931348623157e308',
  ]) {
    expect(read('D:DOUBLE', `{"D":${text}}`)).toEqual([JSON.parse(text)]);
  }
  expect(read('D:DOUBLE', '{"D":"NaN"}')).toEqual([Number.NaN]);
  expect(read('D:DOUBLE', '{"D":"-Infinity"}')).toEqual([-Infinity]);
  expect(read('D:DOUBLE', '{"D":" 1.5 "}')).toEqual([1.5]);
  expect(() => read('D:DOUBLE', '{"D":"one"}')).toThrow('"one" is no DOUBLE');
});

test('decimals are exact and never rounded', () => {
  expect(read('D:DECIMAL(6, 2)', '{"D":1.5}')).toEqual([150n]);
  expect(read('D:DECIMAL(6, 2)', '{"D":"-1234.56"}')).toEqual([-123_456n]);
  expect(read('D:DECIMAL(38, 0)', `{"D":${'9'.repeat(38)}}`)).toEqual([BigInt('9'.repeat(38))]);
  expect(read('D:DECIMAL(6, 2)', '{"D":12.5000e1}')).toEqual([12_500n]);
  expect(() => read('D:DECIMAL(6, 2)', '{"D":1.234}')).toThrow('without rounding');
  expect(() => read('D:DECIMAL(6, 2)', '{"D":12345}')).toThrow('without rounding');
});

test('everything becomes text in a STRING column', () => {
  expect(read('S:STRING', '{"S":1.50}')).toEqual(['1.50']);
  expect(read('S:STRING', '{"S":true}')).toEqual(['true']);
  expect(read('S:STRING', '{"S":{"b":[1,"x"],"a":{"z":null}}}')).toEqual([
    '{"a":{"z":null},"b":[1,"x"]}',
  ]);
  expect(read('S:STRING', '{"S":[1, "x", null, {"b":1}]}')).toEqual(['[1, x, null, {"b":1}]']);
  expect(read('S:STRING', '{"S":"\\ud83d\\ude00\\ud83d \\n\\/"}')).toEqual(['😀\ufffd \n/']);
});

test('times are numbers, bytes are base64', () => {
  const header = 'T:TIME | D:DATE | S:TIMESTAMP | B:BYTES';
  expect(read(header, '{"T":86399999,"D":-1,"S":1700000000000,"B":"AP8="}')).toEqual([
    86_399_999,
    -1,
    1_700_000_000_000,
    Uint8Array.of(0, 255),
  ]);
  expect(() => read(header, '{"T":86400000}')).toThrow('out of range for TIME');
  expect(() => read(header, '{"B":"?"}')).toThrow('not base64');
});

test('nested types decode by their types, fields by their names', () => {
  const header = 'A:ARRAY<STRUCT<`X` BIGINT, `Y` MAP<STRING, DECIMAL(3, 1)>>>';
  expect(read(header, '{"A":[{"x":"5","X":6,"Y":{"a":1.5,"b":null}},null,{}]}')).toEqual([
    [
      [
        6n,
        new Map([
          ['a', 15n],
          ['b', null],
        ]),
      ],
      null,
      [null, null],
    ],
  ]);
});

test('an error names the path and the byte', () => {
  const failing = (header: string, text: string, how = wrapped) => {
    try {
      read(header, text, how);
    } catch (thrown) {
      return thrown;
    }
    return null;
  };
  expect(failing('A:BIGINT', '{"A":[1]}')).toMatchObject({
    code: 'DESERIALIZATION',
    field: '$.A',
    message: 'an array is no BIGINT at byte 5',
  });
  expect(
    failing('A:ARRAY<STRUCT<`X` MAP<STRING, INTEGER>>>', '{"A":[null,{"X":{"k":[]}}]}'),
  ).toMatchObject({ field: '$.A[1].X.k' });
  expect(failing('A:BIGINT', '{"B":1,}')).toMatchObject({
    field: '$',
    message: "'}' is unexpected in JSON at byte 7",
  });
  expect(failing('A:BIGINT', '{"A":1} x')).toMatchObject({
    message: 'more than one JSON value at byte 8',
  });
  expect(failing('A:BIGINT', '[1]')).toMatchObject({ field: '$' });
  expect(failing('A:BIGINT', '"x"', bare)).toMatchObject({ field: '$' });
  expect(failing('A:BIGINT', '')).toMatchObject({
    message: 'the JSON text ends too early at byte 0',
  });
});

test('a record that fails leaves nothing behind for the next', () => {
  const decode = decoding(JSON_FORMAT, 'A:STRING | B:BIGINT', wrapped);
  expect(() => decode('{"A":"one","B":[]}')).toThrow('no BIGINT');
  expect(decode('{"B":2}').values).toEqual([null, 2n]);
});

test('UTF-8 is checked, wanted or not', () => {
  const bad = [
    [0xff],
    [0xc0, 0xaf],
    [0xe0, 0x80, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf0, 0x80, 0x80, 0xaf],
    [0xe2, 0x82],
    [0x80],
  ];
  for (const sequence of bad) {
    const record = Uint8Array.of(0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, ...sequence, 0x22, 0x7d);
    expect(() => read('N:BIGINT', record)).toThrow('not UTF-8');
  }
  expect(read('S:STRING', '{"S":"aé€😀z"}')).toEqual(['aé€😀z']);
});

test('nesting is taken up to JSON_DEPTH_MAX and refused beyond', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(read('A:BIGINT', `{"x":${nested(JSON_DEPTH_MAX - 1)}}`)).toEqual([null]);
  expect(() => read('A:BIGINT', `{"x":${nested(JSON_DEPTH_MAX)}}`)).toThrow(
    'nested deeper than 64',
  );
  expect(() => read('A:BIGINT', '['.repeat(100_000))).toThrow('nested deeper');
  expect(() => read('S:STRING', `{"S":${nested(JSON_DEPTH_MAX)}}`)).toThrow('nested deeper');
});

test('JSON null is a null record, unlike an object without members', () => {
  const decode = decoding(JSON_FORMAT, 'A:BIGINT | B:STRING', wrapped);
  expect(decode(' null ')).toEqual({ values: [null, null], present: false });
  expect(decode('{}')).toEqual({ values: [null, null], present: true });
  expect(() => decode('null x')).toThrow('more than one');
  expect(decoding(JSON_FORMAT, 'A:BIGINT', bare)('null')).toEqual({
    values: [null],
    present: false,
  });
});

test('a single column stands bare when it is not wrapped', () => {
  expect(read('A:BIGINT', '10', bare)).toEqual([10n]);
  expect(read('A:ARRAY<STRING>', '[1, 2]', bare)).toEqual([['1', '2']]);
  expect(read('A:STRUCT<`F` DOUBLE>', '{"f":1}', bare)).toEqual([[1]]);
  expect(read('A:BIGINT | B:BIGINT', '{"A":1}', bare)).toEqual([1n, null]);
});

test("the schema registry's five bytes before the text are stepped over", () => {
  const text = new TextEncoder().encode('{"A":1}');
  expect(read('A:BIGINT', Uint8Array.of(0, 0, 0, 0, 9, ...text))).toEqual([1n]);
});

test('writes all columns in order, with exact digits and Java spelling of doubles', () => {
  const write = encoding(
    JSON_FORMAT,
    'B:BIGINT | D:DOUBLE | M:DECIMAL(6, 3) | S:STRING | F:BOOLEAN | I:INTEGER | Y:BYTES',
    wrapped,
  );
  expect(
    textOf(
      write(9_223_372_036_854_775_807n, 1e10, -5n, 'a"\\\n\u0001é😀', true, -3, Uint8Array.of(1)),
    ),
  ).toBe(
    '{"B":9223372036854775807,"D":1.0E10,"M":-0.005,"S":"a\\"\\\\\\n\\u0001é😀","F":true,"I":-3,"Y":"AQ=="}',
  );
  expect(textOf(write(null, Number.NaN, null, null, null, null, null))).toBe(
    '{"B":null,"D":"NaN","M":null,"S":null,"F":null,"I":null,"Y":null}',
  );
});

test('writes nested types, and a bare column whose null is a null record', () => {
  const nested = encoding(
    JSON_FORMAT,
    'A:ARRAY<STRUCT<`\\x` DOUBLE>> | M:MAP<STRING, BIGINT>',
    wrapped,
  );
  expect(textOf(nested([[0.5], null], new Map([['k', 1n]])))).toBe(
    '{"A":[{"\\\\x":0.5},null],"M":{"k":1}}',
  );
  const alone = encoding(JSON_FORMAT, 'A:ARRAY<INTEGER>', bare);
  expect(textOf(alone([1, null]))).toBe('[1,null]');
  expect(alone(null)).toBeNull();
});

test('refuses maps whose keys are no strings', () => {
  const { columns } = prettySchema('A:ARRAY<MAP<INTEGER, STRING>>');
  expect(JSON_FORMAT.refuse(columns, 'value', wrapped)).toBe(
    'JSON holds no MAP whose keys are not STRING',
  );
  expect(
    JSON_FORMAT.refuse(prettySchema('A:MAP<STRING, BYTES>').columns, 'value', wrapped),
  ).toBeNull();
});
