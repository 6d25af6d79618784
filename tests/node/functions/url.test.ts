// Functions of URLs: what java.net.URI finds in them, what it refuses, and the encoding of parameters.

import { expect, test } from 'vitest';
import { parseUri } from '../../../runtime/functions/uri.ts';
import { call, failureOf, text, valueOf } from '../../support/expressions.ts';

const of = (name: string, ...given: readonly (string | null)[]) =>
  valueOf(call(name, ...given.map(text)));

const FULL = 'https://me:pw@Docs.Confluent.io:8080/a%20b/c?foo%20bar=baz&blank&x=1=2#frag%20ment';

test.each([
  ['PROTOCOL', 'https'],
  ['HOST', 'Docs.Confluent.io'],
  ['PORT', 8080],
  ['PATH', '/a b/c'],
  ['QUERY', 'foo bar=baz&blank&x=1=2'],
  ['FRAGMENT', 'frag ment'],
])('the %s of a URL with all parts is %s', (part, expected) => {
  expect(of(`URL_EXTRACT_${part}`, FULL)).toBe(expected);
});

test('a parameter is found by its decoded name; one without a value is empty, one that is not there null', () => {
  expect(of('URL_EXTRACT_PARAMETER', FULL, 'foo bar')).toBe('baz');
  expect(of('URL_EXTRACT_PARAMETER', FULL, 'blank')).toBe('');
  expect(of('URL_EXTRACT_PARAMETER', FULL, 'x')).toBe('1=2');
  expect(of('URL_EXTRACT_PARAMETER', FULL, 'Foo bar')).toBeNull();
  expect(of('URL_EXTRACT_PARAMETER', 'http://a.b/c', 'x')).toBeNull();
});

test('nothing is normalized', () => {
  expect(of('URL_EXTRACT_PATH', 'http://h/a/../b//c')).toBe('/a/../b//c');
  expect(of('URL_EXTRACT_PORT', 'http://h:80/')).toBe(80);
  expect(of('URL_EXTRACT_PATH', 'http://h')).toBe('');
});

test('what is missing is null', () => {
  for (const part of ['QUERY', 'FRAGMENT', 'PORT'])
    expect(of(`URL_EXTRACT_${part}`, 'http://h/p')).toBeNull();
  expect(of('URL_EXTRACT_PROTOCOL', 'www.confluent.io')).toBeNull();
  expect(of('URL_EXTRACT_PATH', 'www.confluent.io')).toBe('www.confluent.io');
  expect(of('URL_EXTRACT_QUERY', 'http://h/?')).toBe('');
  expect(of('URL_EXTRACT_HOST', null)).toBeNull();
});

test.each<[string, string | null, number | null]>([
  ['http://test@confluent.io', 'confluent.io', null],
  ['http://127.0.0.1:9', '127.0.0.1', 9],
  ['http://[::1]:9/', '[::1]', 9],
  ['http://[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]', null],
  ['http://[::ffff:127.0.0.1]', '[::ffff:127.0.0.1]', null],
  ['http://[fe80::1%eth0]', '[fe80::1%eth0]', null],
  ['http://localhost.', 'localhost.', null],
  ['http://3com', '3com', null],
  ['http://h:/', 'h', null],
  ['//h/p', 'h', null],
  // The name of a registry rather than a server: no host.
  ['http://my_host/', null, null],
  ['http://257.1/', null, null],
  ['http://a.3b/', null, null],
  ['http://a-/', null, null],
  ['http://h:80a/', null, null],
  ['http://:80/', null, null],
  ['http://h%41/', null, null],
  ['file:///tmp/x', null, null],
  ['http://#f', null, null],
  ['', null, null],
  ['mailto:a@b.c', null, null],
])('the server of %s is %s, port %s', (url, host, port) => {
  expect(parseUri(url)).toMatchObject({ host, port });
});

test('an opaque URI has a scheme, perhaps a fragment, and nothing else', () => {
  expect(parseUri('mailto:a@b.c?d#e')).toEqual({
    scheme: 'mailto',
    host: null,
    port: null,
    path: null,
    query: null,
    fragment: 'e',
  });
});

test.each([
  'http://257.1/bogus/[url',
  'http://',
  'http:',
  ':x',
  '1a:x',
  'http://h/a b',
  'http://h/a\\b',
  'http://h/%4',
  'http://h/?a|b',
  'http://h/#a#b',
  'http://h/\u2003',
  'http://[::1/',
  'http://[1:2]/',
  'http://[::1::2]/',
  'http://[::1%]/',
  'http://h<i>/',
])('%s is no URL', (url) => {
  expect(failureOf(call('URL_EXTRACT_PATH', text(url)))).toContain('is no URL');
});

test('visible characters beyond ASCII stand in a URL as they are', () => {
  expect(of('URL_EXTRACT_PATH', 'http://h/ж日?ü')).toBe('/ж日');
});

test('escapes are UTF-8, and what is not becomes U+FFFD', () => {
  expect(of('URL_EXTRACT_PATH', '/%C3%A9%ff')).toBe('/é\ufffd');
});

test('parameters are encoded as forms encode them, and back', () => {
  expect(of('URL_ENCODE_PARAM', '?foo $bar')).toBe('%3Ffoo+%24bar');
  expect(of('URL_ENCODE_PARAM', 'aZ09-_.*~é')).toBe('aZ09-_.*%7E%C3%A9');
  expect(of('URL_DECODE_PARAM', 'a+b%20c%C3%a9')).toBe('a b cé');
  expect(of('URL_ENCODE_PARAM', null)).toBeNull();
  for (const cut of ['a%', 'a%4', 'a%zz'])
    expect(failureOf(call('URL_DECODE_PARAM', text(cut)))).toContain('percent sign');
});
