// Functions between bytes, texts and numbers, and digests, gathered with those that mask; knows no other theme.

import { encodeUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import { BIGINT, BYTES, DOUBLE, INTEGER, STRING, type Type, type Value } from '../data/type.ts';
import { bytes, scalar, text } from './declare.ts';
import { decodeHex, encodeHex, encodingOf, lenientBase64 } from './encodings.ts';
import { MASK_FUNCTIONS } from './masks.ts';
import { md5 } from './md5.ts';
import { refused } from './refused.ts';
import type { ScalarOverload } from './registry.ts';

/** The digits of a hex text that may be written `0x…` or `X'…'`; behind `0x` an odd digit gets a zero before it. */
function hexDigits(written: string): string {
  if (written.startsWith('0x')) {
    const digits = written.slice(2);
    return digits.length % 2 === 0 ? digits : `0${digits}`;
  }
  const quoted = /^x'(.*)'$/isu.exec(written);
  return quoted?.[1] ?? written;
}

/** @throws {RecordError} EXPRESSION for an unknown encoding, the same one twice, or a text that is not in it */
function encode(value: string, from: string, to: string): string {
  const input = encodingOf(from);
  const output = encodingOf(to);
  if (input === output)
    throw new RecordError('EXPRESSION', `the text is in ${from} already: name two encodings`);
  switch (from.toLowerCase()) {
    case 'hex':
      return output.encode(decodeHex(hexDigits(value)));
    case 'base64':
      return output.encode(lenientBase64(value));
    default:
      return output.encode(input.decode(value));
  }
}

/** @throws {RecordError} EXPRESSION for another name */
function isLittleEndian(order: string): boolean {
  const name = order.toUpperCase();
  if (name === 'LITTLE_ENDIAN') return true;
  if (name === 'BIG_ENDIAN') return false;
  throw refused(order, 'is no byte order: there are BIG_ENDIAN and LITTLE_ENDIAN');
}

/** A function that reads a number of that size, in either order of bytes. */
function fromBytes(
  name: string,
  returns: Type,
  size: number,
  read: (view: DataView, isLittle: boolean) => Value,
): ScalarOverload[] {
  const description = `The ${returns.kind} in ${size} bytes, big endian if nothing else is said; null where they are more or fewer.`;
  const body = ([value = null, order = 'BIG_ENDIAN']: readonly Value[]): Value => {
    const given = value as Uint8Array;
    const isLittle = isLittleEndian(order as string);
    if (given.length !== size)
      throw new RecordError('EXPRESSION', `${given.length} bytes where ${size} are due`);
    return read(new DataView(given.buffer, given.byteOffset, size), isLittle);
  };
  const category = 'CONVERSIONS';
  return [[bytes('value')], [bytes('value'), text('byteOrder')]].map((parameters) =>
    scalar({ name, category, description, parameters, returns, body }),
  );
}

export const BYTES_FUNCTIONS: readonly ScalarOverload[] = [
  ...MASK_FUNCTIONS,
  scalar({
    name: 'ENCODE',
    category: 'STRING',
    description: 'A text in one encoding written in another: hex, utf8, ascii or base64.',
    parameters: [text('value'), text('inputEncoding'), text('outputEncoding')],
    returns: STRING,
    body: ([value = null, from = null, to = null]) =>
      encode(value as string, from as string, to as string),
  }),
  scalar({
    name: 'TO_BYTES',
    category: 'STRING',
    description: 'The bytes of a text in an encoding: hex, utf8, ascii or base64.',
    parameters: [text('value'), text('encoding')],
    returns: BYTES,
    body: ([value = null, encoding = null]) =>
      encodingOf(encoding as string).decode(value as string),
  }),
  scalar({
    name: 'FROM_BYTES',
    category: 'STRING',
    description: 'Bytes as a text in an encoding: hex, utf8, ascii or base64.',
    parameters: [bytes('value'), text('encoding')],
    returns: STRING,
    body: ([value = null, encoding = null]) => {
      const { encode: write } = encodingOf(encoding as string);
      const written = write(value as Uint8Array);
      // Here, and not in ENCODE, the digits of hex are capitals, as in ksqlDB.
      return (encoding as string).toLowerCase() === 'hex' ? written.toUpperCase() : written;
    },
  }),
  ...fromBytes('INT_FROM_BYTES', INTEGER, 4, (view, isLittle) => view.getInt32(0, isLittle)),
  ...fromBytes('BIGINT_FROM_BYTES', BIGINT, 8, (view, isLittle) => view.getBigInt64(0, isLittle)),
  ...fromBytes('DOUBLE_FROM_BYTES', DOUBLE, 8, (view, isLittle) => view.getFloat64(0, isLittle)),
  scalar({
    name: 'MD5',
    category: 'STRING',
    description: 'The MD5 digest of a text, in UTF-8, as 32 hexadecimal digits.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => encodeHex(md5(encodeUtf8(value as string))),
  }),
];
