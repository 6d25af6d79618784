// Functions of URLs and of their parameters; knows no other theme.

import { encodeUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import { INTEGER, STRING, type Type, type Value } from '../data/type.ts';
import { checkLength } from '../data/value.ts';
import { scalar, text } from './declare.ts';
import type { ScalarOverload } from './registry.ts';
import { decodeEscapes, parseUri, type Uri } from './uri.ts';

const category = 'URL';

/** What application/x-www-form-urlencoded leaves as it is. */
const isPlain = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  '-_.*'.includes(String.fromCharCode(byte));

function encodeParameter(value: string): string {
  const bytes = encodeUtf8(value);
  checkLength(bytes.length * 3);
  let encoded = '';
  for (const byte of bytes) {
    if (byte === 0x20) encoded += '+';
    else if (isPlain(byte)) encoded += String.fromCharCode(byte);
    else encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** @throws {RecordError} EXPRESSION for a percent sign without two hexadecimal digits */
function decodeParameter(value: string): string {
  if (/%(?![0-9A-Fa-f]{2})/u.test(value))
    throw new RecordError('EXPRESSION', 'a percent sign without two hexadecimal digits behind it');
  return decodeEscapes(value.replaceAll('+', ' '));
}

/** The value of the first parameter of that name in a query, escapes decoded first as in ksqlDB; '' when it has none. */
function parameterOf(query: string, name: string): string | null {
  for (const each of query.split('&')) {
    const equals = each.indexOf('=');
    const own = equals < 0 ? each : each.slice(0, equals);
    if (own === name) return equals < 0 ? '' : each.slice(equals + 1);
  }
  return null;
}

const decoded = (component: string | null): string | null =>
  component === null ? null : decodeEscapes(component);

function extract(
  what: string,
  description: string,
  of: (uri: Uri) => Value,
  returns: Type = STRING,
): ScalarOverload {
  return scalar({
    name: `URL_EXTRACT_${what}`,
    category,
    description,
    parameters: [text('url')],
    returns,
    body: ([url = null]) => of(parseUri(url as string)),
  });
}

export const URLS: readonly ScalarOverload[] = [
  scalar({
    name: 'URL_ENCODE_PARAM',
    category,
    description: 'A text as it can stand for a parameter in a URL.',
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => encodeParameter(value as string),
  }),
  scalar({
    name: 'URL_DECODE_PARAM',
    category,
    description: "The text that stands encoded for a URL's parameter.",
    parameters: [text('value')],
    returns: STRING,
    body: ([value = null]) => decodeParameter(value as string),
  }),
  extract(
    'FRAGMENT',
    'The part of a URL behind its hash, escapes decoded; null where there is none.',
    ({ fragment }) => decoded(fragment),
  ),
  extract('HOST', 'The host of a URL; null where there is none.', ({ host }) => host),
  scalar({
    name: 'URL_EXTRACT_PARAMETER',
    category,
    description:
      "The value of a parameter in a URL's query, escapes decoded; null where it is not there.",
    parameters: [text('url'), text('parameter')],
    returns: STRING,
    body: ([url = null, name = null]) => {
      const query = decoded(parseUri(url as string).query);
      return query === null ? null : parameterOf(query, name as string);
    },
  }),
  extract('PATH', 'The path of a URL, escapes decoded; it may be empty.', ({ path }) =>
    decoded(path),
  ),
  extract(
    'PORT',
    'The port that a URL names; null where it names none.',
    ({ port }) => port,
    INTEGER,
  ),
  extract('PROTOCOL', 'The scheme of a URL; null where there is none.', ({ scheme }) => scheme),
  extract('QUERY', 'The query of a URL, escapes decoded; null where there is none.', ({ query }) =>
    decoded(query),
  ),
];
