// How case files are read: numbers as they are spelt, comments, one case for each format and setting.

import { describe, expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import { isObject, JsonNumber, readJson, writeJson } from '../../conformance/json.ts';

describe('the JSON of case files', () => {
  test.each([
    '1.0',
    '1.00',
    '-0',
    '9007199254740993',
    '1e400',
    '0.1E-7',
    '123456789012345678901234567890.5',
  ])('keeps %s as it is written', (number) => {
    expect(writeJson(readJson(`[${number}, {"a": ${number}}]`))).toBe(
      `[${number},{"a":${number}}]`,
    );
  });

  test('may have comments wherever white space may be', () => {
    const text = '// one\n{/* two */"a":/**/1,// three\n"b":"// none /* none */"}\n/* four */';
    expect(writeJson(readJson(text))).toBe('{"a":1,"b":"// none /* none */"}');
  });

  test('has members called __proto__', () => {
    const read = readJson('{"__proto__": {"constructor": null}}');
    expect(isObject(read) ? [...read.keys()] : null).toEqual(['__proto__']);
  });

  test.each(['', '{', '[1,]', '{"a" 1}', '[01]', '[1] 2', "['a']", 'nul', '"a'])(
    'is refused: %s',
    (text) => {
      expect(() => readJson(text)).toThrow(SyntaxError);
    },
  );

  test.each([
    ['12', 12n, 0, 12n],
    ['-1.50', -150n, 2, -1n],
    ['1.5e3', 15n, -2, 1500n],
    ['2E-2', 2n, 2, 0n],
  ])('%s is the decimal it says', (text, unscaled, scale, truncated) => {
    const number = new JsonNumber(text);
    expect(number.decimal).toEqual({ unscaled, scale });
    expect(number.truncated).toBe(truncated);
  });
});

describe('expansion', () => {
  const entry = (more: string): string =>
    `{"tests": [{"name": "n", "statements": ["A {FORMAT};", "B;"]${more}}]}`;

  test('makes one case of an entry without formats and settings', () => {
    const [one, ...more] = readCases('file', entry(''));
    expect(more).toEqual([]);
    expect([one?.name, one?.statements]).toEqual(['file - n', ['A {FORMAT};', 'B;']]);
  });

  test('makes a case for each format and each setting, and names it after both', () => {
    const text = entry(
      ', "format": ["JSON", "KAFKA"], "config": ["1", "2"], "properties": {"a.b": "{CONFIG}", "c": 3}',
    );
    const cases = readCases('file', text);
    expect(cases.map(({ name }) => name)).toEqual([
      'file - n - JSON - a.b=1',
      'file - n - JSON - a.b=2',
      'file - n - KAFKA - a.b=1',
      'file - n - KAFKA - a.b=2',
    ]);
    expect(cases.map(({ statements }) => statements[0])).toEqual([
      'A JSON;',
      'A JSON;',
      'A KAFKA;',
      'A KAFKA;',
    ]);
    expect([...(cases[1]?.properties ?? [])]).toEqual([
      ['a.b', '2'],
      ['c', '3'],
    ]);
  });

  test('leaves disabled cases out', () => {
    expect(readCases('file', entry(', "enabled": false'))).toEqual([]);
  });

  test('refuses what is no file of cases', () => {
    expect(() => readCases('file', '{}')).toThrow(TypeError);
    expect(() => readCases('file', '{"tests": [{"name": 1}]}')).toThrow('file: name');
  });
});
