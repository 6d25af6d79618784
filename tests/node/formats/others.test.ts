// KAFKA, DELIMITED, NONE, COLUMNAR and the window behind a key.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { RecordError } from '../../../runtime/base/errors.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { DELIMITED_FORMAT } from '../../../runtime/formats/delimited.ts';
import { FORMATS } from '../../../runtime/formats/formats.ts';
import { KAFKA_FORMAT } from '../../../runtime/formats/kafka.ts';
import { NONE_FORMAT } from '../../../runtime/formats/none.ts';
import {
  readWindow,
  writeSession,
  writeTimeWindow,
} from '../../../runtime/formats/windowed-key.ts';
import { decoding, encoding, spec, textOf } from './serde-harness.ts';

const kafka = spec('KAFKA', false);
const delimited = spec('DELIMITED', false);

test('KAFKA writes what the serializers of Kafka write, and reads it back', () => {
  const cases = [
    ['A:INTEGER', -2, [0xff, 0xff, 0xff, 0xfe]],
    ['A:BIGINT', 258n, [0, 0, 0, 0, 0, 0, 1, 2]],
    ['A:DOUBLE', 1.5, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['A:STRING', 'é', [0xc3, 0xa9]],
    ['A:BYTES', Uint8Array.of(0, 1), [0, 1]],
  ] as const;
  for (const [header, value, bytes] of cases) {
    expect(Array.from(encoding(KAFKA_FORMAT, header, kafka)(value) ?? [])).toEqual(bytes);
    expect(decoding(KAFKA_FORMAT, header, kafka)(Uint8Array.from(bytes)).values).toEqual([value]);
    expect(encoding(KAFKA_FORMAT, header, kafka)(null)).toBeNull();
  }
});

test('KAFKA refuses bytes of another size and text that is not UTF-8', () => {
  expect(() => decoding(KAFKA_FORMAT, 'A:INTEGER', kafka)(new Uint8Array(8))).toThrow(
    '8 bytes where INTEGER has 4',
  );
  expect(() => decoding(KAFKA_FORMAT, 'A:STRING', kafka)(Uint8Array.of(0xff))).toThrow('UTF-8');
});

test('KAFKA holds one column of five types', () => {
  const refuse = (header: string) =>
    KAFKA_FORMAT.refuse(header === '' ? [] : prettySchema(header).columns, 'key', kafka);
  expect(refuse('A:STRING')).toBeNull();
  expect(refuse('')).toBeNull();
  expect(refuse('A:STRING | B:STRING')).toBe('KAFKA holds one column, and here are 2: A, B');
  expect(refuse('A:BOOLEAN')).toBe('KAFKA holds no BOOLEAN');
});

test('DELIMITED splits at the delimiter, quotes taken off, an empty field is null', () => {
  const read = decoding(
    DELIMITED_FORMAT,
    'A:BIGINT | B:STRING | C:DOUBLE | D:DECIMAL(6, 2)',
    delimited,
  );
  expect(read('12,bob,1.5,.12').values).toEqual([12n, 'bob', 1.5, 12n]);
  expect(read('"12","b,""o""\nb",,""\r\n').values).toEqual([12n, 'b,"o"\nb', null, null]);
  expect(read('\n1, b ,NaN, 3').values).toEqual([1n, ' b ', Number.NaN, 300n]);
});

test('DELIMITED reads times, booleans and bytes', () => {
  const read = decoding(DELIMITED_FORMAT, 'A:BOOLEAN | B:BYTES | C:DATE | D:TIMESTAMP', delimited);
  expect(read('TRUE,AQ==,-5,1700000000000').values).toEqual([
    true,
    Uint8Array.of(1),
    -5,
    1_700_000_000_000,
  ]);
});

test('DELIMITED says what is wrong, with the column', () => {
  const read = decoding(DELIMITED_FORMAT, 'A:BIGINT | B:STRING', delimited);
  const cases = [
    ['1', '1 fields where 2 columns are due', ''],
    ['1,2,3', '3 fields where 2 columns are due', ''],
    ['', 'no fields', ''],
    ['x,y', '"x" is no BIGINT', 'A'],
    ['1,"y', 'without its closing quote', ''],
    ['1,"y"z', 'behind a closing quote', ''],
    ['1,y\n2,z', 'more than one line', ''],
  ] as const;
  for (const [text, message, field] of cases) {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, text).toBeInstanceOf(RecordError);
    expect(thrown).toMatchObject({ field, message: expect.stringContaining(message) });
  }
});

test('DELIMITED takes other delimiters, TAB and SPACE by name', () => {
  const tab = spec('DELIMITED', false, [['DELIMITER', 'TAB']]);
  const pipe = spec('DELIMITED', false, [['DELIMITER', '|']]);
  const space = spec('DELIMITED', false, [['DELIMITER', 'SPACE']]);
  expect(decoding(DELIMITED_FORMAT, 'A:STRING | B:STRING', tab)('a,b\tc').values).toEqual([
    'a,b',
    'c',
  ]);
  expect(decoding(DELIMITED_FORMAT, 'A:STRING | B:STRING', space)('a b').values).toEqual([
    'a',
    'b',
  ]);
  expect(textOf(encoding(DELIMITED_FORMAT, 'A:STRING | B:STRING', pipe)('a|b', 'c,d'))).toBe(
    '"a|b"|c,d',
  );
});

test('DELIMITED quotes only what needs it', () => {
  const write = encoding(
    DELIMITED_FORMAT,
    'A:STRING | B:DECIMAL(8, 3) | C:DOUBLE | D:BIGINT',
    delimited,
  );
  expect(textOf(write('a', 1500n, 1e7, -5n))).toBe('a,1.500,1.0E7,-5');
  expect(textOf(write('-a', null, null, null))).toBe('"-a",,,');
  expect(textOf(write('', null, null, 1n))).toBe('"",,,1');
  expect(textOf(write('a "b"', null, null, 1n))).toBe('"a ""b""",,,1');
});

test('DELIMITED reads back what it writes', () => {
  const header = 'A:STRING | B:STRING | C:BIGINT | D:DOUBLE | E:BYTES | F:BOOLEAN';
  const read = decoding(DELIMITED_FORMAT, header, delimited);
  const write = encoding(DELIMITED_FORMAT, header, delimited);
  const text = fc.string({ unit: 'binary', minLength: 1 }).map((value) => value.toWellFormed());
  fc.assert(
    fc.property(
      fc.tuple(
        text,
        text,
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.double(),
        fc.uint8Array({ minLength: 1 }),
        fc.boolean(),
      ),
      (values) => {
        expect(read(write(...values) ?? '').values).toEqual(values);
      },
    ),
    { numRuns: 2000 },
  );
});

test('DELIMITED holds no nested types', () => {
  const { columns } = prettySchema('A:STRING | B:ARRAY<STRING>');
  expect(DELIMITED_FORMAT.refuse(columns, 'value', delimited)).toBe(
    'DELIMITED holds no ARRAY<STRING>',
  );
});

test('NONE reads and writes nothing, and is for keys without columns', () => {
  expect(NONE_FORMAT.refuse([], 'key', spec('NONE'))).toBeNull();
  expect(NONE_FORMAT.refuse([], 'value', spec('NONE'))).toBe('NONE is a format of keys');
  expect(NONE_FORMAT.refuse(prettySchema('A:STRING').columns, 'key', spec('NONE'))).toBe(
    'NONE holds no column, and here is A',
  );
  expect(encoding(NONE_FORMAT, 'A:STRING', spec('NONE'))('a')).toBeNull();
  expect(decoding(NONE_FORMAT, 'A:STRING', spec('NONE'))('a').values).toEqual([null]);
});

test('the formats are found by name', () => {
  expect([...FORMATS.keys()]).toEqual(['JSON', 'DELIMITED', 'KAFKA', 'NONE', 'COLUMNAR']);
});

test('a time window stands behind the key as its start, a session as end and start', () => {
  const to = new ByteWriter();
  to.bytes(encodeUtf8('key'));
  writeTimeWindow(to, 1000n);
  expect([...to.finish().subarray(3)]).toEqual([0, 0, 0, 0, 0, 0, 3, 232]);
  expect(readWindow(to.finish(), { from: 0, to: 11 }, 'time', 500)).toEqual({
    keyTo: 3,
    startMs: 1000n,
    endMs: 1500n,
  });
  to.truncate(3);
  writeSession(to, { startMs: 1n, endMs: 2n });
  expect([...to.finish().subarray(3)]).toEqual([0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(readWindow(to.finish(), { from: 0, to: 19 }, 'session', 0)).toEqual({
    keyTo: 3,
    startMs: 1n,
    endMs: 2n,
  });
  expect(() => readWindow(to.finish(), { from: 0, to: 15 }, 'session', 0)).toThrow(RecordError);
});
