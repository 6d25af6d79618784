// Tokens: names and their case, numbers, texts, comments and places.

import { describe, expect, test } from 'vitest';
import { lex } from '../../../runtime/sql/lexer.ts';
import { unexpected } from '../../../runtime/sql/syntax-error.ts';

function tokens(text: string): string[] {
  return lex(text)
    .slice(0, -1)
    .map(({ kind, text: content }) => `${kind} ${content}`);
}

function problems(text: string): (string | undefined)[] {
  return lex(text)
    .filter(({ kind }) => kind === 'wrong')
    .map((token) => {
      const before = { source: text, before: null, expected: [], bareAlias: null, sought: null };
      return unexpected({ ...before, token, hint: '' }).message.replace(/^line (\d+:\d+): /, '$1 ');
    });
}

test('cuts words, symbols and constants apart without spaces', () => {
  expect(tokens("a<=1.5-'x'")).toEqual([
    'word a',
    'symbol <=',
    'decimal 1.5',
    'symbol -',
    'string x',
  ]);
  expect(tokens('x=>y->z')).toEqual(['word x', 'symbol =>', 'word y', 'symbol ->', 'word z']);
  expect(tokens('ARRAY<MAP<A,B>>')).toEqual([
    'word ARRAY',
    'symbol <',
    'word MAP',
    'symbol <',
    'word A',
    'symbol ,',
    'word B',
    'symbol >',
    'symbol >',
  ]);
});

test('gives words and symbols one key for all their spellings', () => {
  expect(lex('Select != <> == =').map(({ key }) => key)).toEqual([
    'SELECT',
    '<>',
    '<>',
    '=',
    '=',
    '',
  ]);
  expect(lex("'SELECT' `SELECT`").map(({ key }) => key)).toEqual(['', '', '']);
});

describe('numbers', () => {
  test.each([
    ['0', 'integer'],
    ['007', 'integer'],
    ['1.', 'decimal'],
    ['.5', 'decimal'],
    ['1.50', 'decimal'],
    ['1e3', 'double'],
    ['1.E+3', 'double'],
    ['.5E-3', 'double'],
  ])('%s is one token, %s', (text, kind) => {
    expect(tokens(text)).toEqual([`${kind} ${text}`]);
  });

  test('a name may start with a digit', () => {
    expect(tokens('1R 10s 1e')).toEqual(['word 1R', 'word 10s', 'word 1e']);
  });

  test('a number with a point does not run into a word', () => {
    expect(problems('1.5x')).toEqual(['1:1 1.5x is neither a number nor a name']);
  });
});

describe('quotes', () => {
  test('a doubled quote stands for itself', () => {
    expect(tokens("'it''s' '' ''''")).toEqual(["string it's", 'string ', "string '"]);
    expect(tokens('`a``b` "c""d"')).toEqual(['quoted a`b', 'quoted c"d']);
  });

  test('nothing within quotes has a meaning', () => {
    expect(tokens("'a -- b /* c ; d\n e'")).toEqual(['string a -- b /* c ; d\n e']);
  });

  test.each([
    ["SELECT\n 'abc;", "2:2 the text that starts here has no closing '"],
    ['SELECT `abc', '1:8 the name that starts here has no closing `'],
    ['"abc', '1:1 the name that starts here has no closing "'],
    ['a /* b', '1:3 this comment has no end'],
    ['``', '1:1 a name must not be empty'],
  ])('%j is wrong where it opens', (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });
});

test('comments are nothing, to the end of the line or of the bracket', () => {
  expect(tokens('a -- b \n c /* d \n -- e */ f --')).toEqual(['word a', 'word c', 'word f']);
  expect(tokens('a - - b')).toEqual(['word a', 'symbol -', 'symbol -', 'word b']);
});

test('places are counted from one, in lines and UTF-16 units', () => {
  const places = lex('a\n  bb\r\n\n"😀" c').map(({ at }) => `${at.line}:${at.column}`);
  expect(places).toEqual(['1:1', '2:3', '4:1', '4:6', '4:7']);
});

test.each([
  ['größe', '1:1 the name größe has letters beyond A to Z'],
  ['a # b', '1:3 "#" is not part of the language'],
  ['‘text’', '1:1 "‘" is not part of the language'],
  ['$x', "1:1 '$' does not start a variable here"],
])('%s is wrong outside quotes', (text, problem) => {
  expect(problems(text)[0]).toBe(problem);
});

test('a byte order mark at the start is nothing', () => {
  expect(tokens('\uFEFFa')).toEqual(['word a']);
});
