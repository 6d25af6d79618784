// The encodings that functions of bytes name: hex, utf8, ascii and base64, both ways; knows no function.

import { decodeBase64, encodeBase64 } from '../base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import { refused } from './refused.ts';

const HEX = '0123456789abcdef';
const HEX_BYTES = Array.from(
  { length: 256 },
  (_, byte) => HEX.charAt(byte >> 4) + HEX.charAt(byte & 15),
);
const ASCII_MAX = 0x7f;
const QUESTION_MARK = 0x3f;
const REPLACEMENT = '\ufffd';

/** Two digits in lower case a byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX_BYTES[byte] as string;
  return text;
}

/** @throws {RecordError} EXPRESSION when the text is not pairs of hexadecimal digits */
export function decodeHex(text: string): Uint8Array {
  if (text.length % 2 !== 0)
    throw new RecordError('EXPRESSION', `a hex text with an odd number of digits: ${text.length}`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < text.length; i++) {
    const digit = HEX.indexOf(text.charAt(i).toLowerCase());
    if (digit < 0)
      throw new RecordError('EXPRESSION', `'${text.charAt(i)}' is no hexadecimal digit`);
    bytes[i >> 1] = ((bytes[i >> 1] ?? 0) << 4) | digit;
  }
  return bytes;
}

/** ASCII as text; a byte beyond it becomes U+FFFD. */
function decodeAscii(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte <= ASCII_MAX ? String.fromCharCode(byte) : REPLACEMENT;
  return text;
}

/** Text as ASCII; a character beyond it becomes a question mark. */
function encodeAscii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= ASCII_MAX ? code : QUESTION_MARK;
  });
}

/** @throws {RecordError} EXPRESSION when the text is not base64 */
function strictBase64(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes === null) throw new RecordError('EXPRESSION', 'a text that is not base64');
  return bytes;
}

/**
 * Base64 of both alphabets, the URL-safe one too, up to the first `=`; other characters are stepped over, and a last digit that
 * makes no byte is dropped. As Apache Commons Codec reads it.
 */
export function lenientBase64(text: string): Uint8Array {
  const [digits = ''] = text.split('=', 1);
  const plain = digits
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/[^A-Za-z0-9+/]/gu, '');
  return strictBase64(plain.length % 4 === 1 ? plain.slice(0, -1) : plain);
}

/** One way to write bytes as text. */
export interface Encoding {
  readonly encode: (bytes: Uint8Array) => string;
  readonly decode: (text: string) => Uint8Array;
}

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['hex', { encode: encodeHex, decode: decodeHex }],
  ['utf8', { encode: (bytes: Uint8Array) => decodeUtf8(bytes), decode: encodeUtf8 }],
  ['ascii', { encode: decodeAscii, decode: encodeAscii }],
  ['base64', { encode: encodeBase64, decode: strictBase64 }],
]);

/** @throws {RecordError} EXPRESSION when there is none of that name, in whatever case */
export function encodingOf(name: string): Encoding {
  const encoding = ENCODINGS.get(name.toLowerCase());
  if (encoding !== undefined) return encoding;
  const names = [...ENCODINGS.keys()].join(', ');
  throw refused(name, `is no encoding: there are ${names}`);
}
