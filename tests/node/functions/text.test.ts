// The rarer functions of text, bytes, masks and places, one line a claim; Java's odd corners among them.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { TEXT_LENGTH_MAX } from '../../../runtime/base/limits.ts';
import { BYTES, DOUBLE, INTEGER, STRING, type Value } from '../../../runtime/data/type.ts';
import type { Expr } from '../../../runtime/expr/expr.ts';
import { call, failureOf, literal, text, valueOf } from '../../support/expressions.ts';

const int = (value: number | null): Expr => literal(value, INTEGER);
const bytes = (value: string | null): Expr => literal(value, BYTES);
const double = (value: number | null): Expr => literal(value, DOUBLE);
const nothing = literal(null, STRING);
const texts = (...values: readonly (string | null)[]): Expr[] => values.map(text);

const FLOOR = text('CORPORATE FLOOR');

test.each<[string, readonly Expr[], Value]>([
  ['CHR', [int(75)], 'K'],
  ['CHR', [int(0x1f600)], '😀'],
  ['CHR', [int(0x10ffff)], '\u{10ffff}'],
  ['CHR', [int(0x110000)], null],
  ['CHR', [int(-1)], null],
  ['CHR', texts('\\u597d'), '好'],
  ['CHR', texts('\\ud83d\\uDE00'), '😀'],
  ['CHR', texts('\\u065'), null],
  ['CHR', texts('u0041'), null],
  ['CHR', texts('\\u00zz'), null],
  ['CHR', texts(''), null],
  ['CHR', [nothing], null],
  ['CONCAT_WS', texts(', ', 'a', null, '', 'd'), 'a, , d'],
  ['CONCAT_WS', texts(', ', null), ''],
  ['CONCAT_WS', texts(null, 'a', 'b'), null],
  ['CONCAT_WS', [bytes('AA=='), bytes('AQ=='), bytes(null), bytes('Ag==')], Uint8Array.of(1, 0, 2)],
  ['INSTR', [FLOOR, text('OR')], 2],
  ['INSTR', [FLOOR, text('OR'), int(3)], 5],
  ['INSTR', [FLOOR, text('OR'), int(3), int(2)], 14],
  ['INSTR', [FLOOR, text('OR'), int(-1)], 14],
  ['INSTR', [FLOOR, text('OR'), int(-3)], 5],
  ['INSTR', [FLOOR, text('OR'), int(-3), int(2)], 2],
  ['INSTR', [FLOOR, text('OR'), int(-3), int(3)], 0],
  ['INSTR', [FLOOR, text('OR'), int(1), int(0)], 0],
  ['INSTR', [FLOOR, text('OR'), int(0)], 0],
  ['INSTR', [FLOOR, text('OR'), int(16)], 0],
  ['INSTR', [text('aaa'), text('aa'), int(1), int(2)], 2],
  ['INSTR', [text('aaa'), text('aa'), int(-1), int(2)], 1],
  ['INSTR', [FLOOR, text('CORPORATE FLOORS')], 0],
  ['INSTR', [FLOOR, text('')], 1],
  ['INSTR', [nothing, text('OR')], 0],
  ['INSTR', [FLOOR, text('OR'), int(null)], null],
  ['LPAD', [text('Foo'), int(7), text('Bar')], 'BarBFoo'],
  ['LPAD', [text('Foo'), int(2), text('Bar')], 'Fo'],
  ['LPAD', [text('Foo'), int(0), text('Bar')], ''],
  ['LPAD', [text('Foo'), int(-1), text('Bar')], null],
  ['LPAD', [text('Foo'), int(2), text('')], null],
  ['LPAD', [bytes('AQ=='), int(4), bytes('AgM=')], Uint8Array.of(2, 3, 2, 1)],
  ['LPAD', [bytes('AQID'), int(2), bytes('AA==')], Uint8Array.of(1, 2)],
  ['LPAD', [bytes('AQID'), int(2), bytes('')], null],
  ['RPAD', [text('Foo'), int(7), text('Bar')], 'FooBarB'],
  ['RPAD', [text('Foo'), int(2), text('Bar')], 'Fo'],
  ['RPAD', [nothing, int(2), text('Bar')], null],
  ['RPAD', [bytes('AQ=='), int(3), bytes('AgM=')], Uint8Array.of(1, 2, 3)],
  [
    'SPLIT_TO_MAP',
    texts('a=1;;b=2=3;c;a=4', ';', '='),
    new Map([
      ['a', '4'],
      ['b', '2'],
    ]),
  ],
  ['SPLIT_TO_MAP', texts('=1', ';', '='), new Map([['', '1']])],
  ['SPLIT_TO_MAP', texts('a=1', '=', '='), null],
  ['SPLIT_TO_MAP', texts('a=1', ';', ''), null],
  ['SPLIT_TO_MAP', texts('', ';', '='), new Map()],
  ['ELT', [int(2), ...texts('a', 'b')], 'b'],
  ['ELT', [int(3), ...texts('a', 'b')], null],
  ['ELT', [int(0), ...texts('a', 'b')], null],
  ['ELT', [int(2), ...texts(null, 'b')], 'b'],
  ['ELT', [int(null), ...texts('a')], null],
  ['FIELD', texts('b', 'a', 'b', 'b'), 2],
  ['FIELD', texts('c', 'a', null), 0],
  ['FIELD', texts(null, 'a', null), 0],
  ['UUID', [bytes('ASNFZ4mrze8BI0VniavN7w==')], '01234567-89ab-cdef-0123-456789abcdef'],
  ['UUID', [bytes('ASNF')], null],
  ['MD5', texts(''), 'd41d8cd98f00b204e9800998ecf8427e'],
  ['MD5', texts('message digest'), 'f96b697d7cb7938d525a2f31aaf161d0'],
  ['MD5', texts('1234567890'.repeat(8)), '57edf4a22be3c955ac49da2e2107b67a'],
  ['ENCODE', texts('4578616d706C6521', 'hex', 'ascii'), 'Example!'],
  ['ENCODE', texts('0x9', 'HEX', 'ascii'), '\t'],
  ['ENCODE', texts("X'c39c'", 'hex', 'UTF8'), 'Ü'],
  ['ENCODE', texts("x''", 'hex', 'base64'), ''],
  ['ENCODE', texts('Ü!', 'utf8', 'hex'), 'c39c21'],
  ['ENCODE', texts('Ü!', 'utf8', 'ascii'), '\ufffd\ufffd!'],
  ['ENCODE', texts('Ü😀', 'ascii', 'utf8'), '??'],
  // Lenient, as Commons Codec reads it: both alphabets, no padding, foreign characters stepped over.
  ['ENCODE', texts('__-_\r\nQQ', 'base64', 'hex'), 'ffffbf41'],
  ['ENCODE', texts('QUJD=QUJD', 'base64', 'utf8'), 'ABC'],
  ['ENCODE', texts(null, 'hex', 'utf8'), null],
  ['TO_BYTES', texts('1aB2', 'hex'), Uint8Array.of(0x1a, 0xb2)],
  ['TO_BYTES', texts('é', 'utf8'), Uint8Array.of(0xc3, 0xa9)],
  ['TO_BYTES', texts('é', 'ascii'), Uint8Array.of(0x3f)],
  ['TO_BYTES', texts('AQI=', 'BASE64'), Uint8Array.of(1, 2)],
  ['TO_BYTES', texts('a', null), null],
  ['FROM_BYTES', [bytes('GrI='), text('hex')], '1AB2'],
  ['FROM_BYTES', [bytes('w6k='), text('utf8')], 'é'],
  ['FROM_BYTES', [bytes('w6k='), text('ascii')], '\ufffd\ufffd'],
  ['FROM_BYTES', [bytes('w6k='), text('base64')], 'w6k='],
  ['INT_FROM_BYTES', [bytes('AAAH5Q==')], 2021],
  ['INT_FROM_BYTES', [bytes('5QcAAA=='), text('little_endian')], 2021],
  ['INT_FROM_BYTES', [bytes('/////w==')], -1],
  ['BIGINT_FROM_BYTES', [bytes('AAAAASoF8gA='), text('BIG_ENDIAN')], 5_000_000_000n],
  ['DOUBLE_FROM_BYTES', [bytes('QICm/ZvJ9YI=')], 532.8738323],
  ['DOUBLE_FROM_BYTES', [bytes(null)], null],
  ['MASK', texts('My Test $123'), 'Xx-Xxxx--nnn'],
  ['MASK', texts('My Test $123', '*', null, '1', null), '*y *est $111'],
  // Titlecase letters and numbers that are no digits are other characters.
  ['MASK', texts('ǅ²٣é😀'), '--nx-'],
  ['MASK', [nothing], null],
  ['MASK_KEEP_LEFT', [text('My Test $123'), int(4)], 'My Txxx--nnn'],
  ['MASK_KEEP_RIGHT', [text('My Test $123'), int(4)], 'Xx-Xxxx-$123'],
  ['MASK_LEFT', [text('My Test $123'), int(4)], 'Xx-Xest $123'],
  ['MASK_RIGHT', [text('My Test $123'), int(4)], 'My Test -nnn'],
  ['MASK_RIGHT', [text('aB'), int(9), ...texts('U', 'l', null, null)], 'lU'],
  ['MASK_LEFT', [text('aB'), int(0)], 'aB'],
  ['MASK_LEFT', [text('aB'), int(null)], null],
  ['GEO_DISTANCE', [double(10), double(20), double(10), double(20)], 0],
  ['GEO_DISTANCE', [int(0), int(0), int(0), int(180), text(' Kilometres ')], 6371 * Math.PI],
  ['GEO_DISTANCE', [int(0), int(0), int(0), int(180), text('miles')], 3959 * Math.PI],
  ['GEO_DISTANCE', [int(0), int(0), int(0), int(180), nothing], 6371 * Math.PI],
  ['GEO_DISTANCE', [int(0), int(0), int(0), double(null)], null],
])('%s, case %#', (name, given, expected) => {
  expect(valueOf(call(name, ...given))).toEqual(expected);
});

test.each<[string, readonly Expr[], string]>([
  ['ENCODE', texts('ff', 'hex', 'hex'), 'two encodings'],
  ['ENCODE', texts('fff', 'hex', 'utf8'), 'odd number'],
  ['ENCODE', texts('a', 'utf-8', 'hex'), "'utf-8' is no encoding"],
  ['TO_BYTES', texts('xy', 'hex'), "'x' is no hexadecimal digit"],
  ['TO_BYTES', texts('a*==', 'base64'), 'not base64'],
  ['INT_FROM_BYTES', [bytes('AA==')], '1 bytes where 4 are due'],
  ['INT_FROM_BYTES', [bytes('AAAH5Q=='), text('MIDDLE')], "'MIDDLE' is no byte order"],
  ['MASK', texts('a', 'XX', null, null, null), "'XX' is no mask"],
  ['MASK_LEFT', [text('a'), int(-1)], 'negative number'],
  ['GEO_DISTANCE', [int(91), int(0), int(0), int(0)], 'no latitude'],
  ['GEO_DISTANCE', [int(0), int(0), int(0), int(-181)], 'no longitude'],
  ['GEO_DISTANCE', [int(0), int(0), int(0), int(0), text('ells')], "'ells' is no unit"],
])('%s fails on its row, case %#', (name, given, reason) => {
  expect(failureOf(call(name, ...given))).toContain(reason);
});

test('MD5 is that of the platform, whatever the length of the text', () => {
  for (let length = 0; length < 200; length++) {
    const value = 'é日x'.repeat(length).slice(0, length);
    const expected = createHash('md5').update(value).digest('hex');
    expect(valueOf(call('MD5', text(value)))).toBe(expected);
  }
});

test('a random UUID is of version 4 and variant 1', () => {
  expect(valueOf(call('UUID'))).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
  );
});

test('a text has at most TEXT_LENGTH_MAX units, whichever function makes it', () => {
  const most = text('x'.repeat(TEXT_LENGTH_MAX));
  const lengthOf = (made: Expr) => valueOf(call('LEN', made));
  expect(lengthOf(call('RPAD', text('a'), int(TEXT_LENGTH_MAX), text('b')))).toBe(TEXT_LENGTH_MAX);
  expect(lengthOf(call('CONCAT', most, text('')))).toBe(TEXT_LENGTH_MAX);
  expect(lengthOf(call('REPLACE', most, text('x'), text('y')))).toBe(TEXT_LENGTH_MAX);
  for (const beyond of [
    call('RPAD', text('a'), int(TEXT_LENGTH_MAX + 1), text('b')),
    call('LPAD', bytes('AA=='), int(2_147_483_647), bytes('AA==')),
    call('CONCAT', most, text('y')),
    call('CONCAT_WS', text(''), most, text('y')),
    call('REPLACE', most, text('x'), text('yy')),
    call('REPLACE', most, text(''), text('y')),
  ])
    expect(failureOf(beyond)).toContain(`${TEXT_LENGTH_MAX} is the most`);
});
