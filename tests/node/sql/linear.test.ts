// Reading SQL takes time in proportion to its length, whatever stands in it, and what is endless is an error with a position.

import { describe, expect, test } from 'vitest';
import { COLUMNS_MAX, STATEMENT_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { parse, parseScript } from '../../../runtime/sql/parser.ts';

/** Short enough that a step which goes on with the square of the length stands out from the rest of the work. */
const SHORT_BYTES = STATEMENT_BYTES_MAX / 16;

/** As many copies as fit, made with their number, between a head and a tail. */
function filled(bytes: number, copy: (index: number) => string, head = '', tail = ''): string {
  const parts: string[] = [];
  let length = head.length + tail.length;
  for (let index = 0; ; index++) {
    const part = copy(index);
    if (length + part.length > bytes) break;
    parts.push(part);
    length += part.length;
  }
  return head + parts.join('') + tail;
}

/** Texts of a length that could each make some reader slower than linear. */
const TEXTS: readonly [string, (bytes: number) => string][] = [
  [
    'many statements',
    (bytes) =>
      filled(
        bytes,
        (i) => `CREATE STREAM s${i} AS SELECT k, v + ${i} AS w FROM s WHERE v > ${i};\n`,
      ),
  ],
  [
    'one long condition',
    (bytes) => filled(bytes, (i) => ` OR v = ${i}`, 'SELECT * FROM s WHERE v = 0', ';'),
  ],
  [
    'one long list',
    (bytes) => filled(bytes, (i) => `, ${i}`, 'SELECT * FROM s WHERE v IN (0', ');'),
  ],
  [
    'one long list of arguments with lambdas',
    (bytes) => filled(bytes, (i) => `, x => ${i}`, 'SELECT f(a', ') FROM s;'),
  ],
  [
    'a long GROUP BY in parentheses',
    (bytes) => filled(bytes, (i) => `, c${i}`, 'SELECT c FROM s GROUP BY (c', ');'),
  ],
  [
    'wide structs',
    (bytes) => filled(bytes, (i) => `, f${i} INT`, 'CREATE TYPE t AS STRUCT<f INT', '>;'),
  ],
  ['one long text', (bytes) => filled(bytes, () => "it''s ", "SELECT '", "' FROM s;")],
  ['one long name', (bytes) => filled(bytes, () => 'a', 'SELECT ', ' FROM s;')],
  ['one long comment', (bytes) => filled(bytes, () => '* / ', '/*', '*/ SHOW STREAMS;')],
  ['many comments', (bytes) => filled(bytes, () => '-- a\n/* b */', '', 'SHOW STREAMS;')],
  ['white space', (bytes) => filled(bytes, () => ' \n', 'SHOW STREAMS', ';')],
  [
    'many joins',
    (bytes) => filled(bytes, (i) => ` JOIN t${i} ON a.k = t${i}.k`, 'SELECT * FROM a', ';'),
  ],
];

/** How often the short text is read for one reading of the long one: then both are as many bytes. */
const TIMES = STATEMENT_BYTES_MAX / SHORT_BYTES;
const ROUNDS = 11;
/**
 * What is faster than that is the clock's, and that of code which is not compiled yet: the bytes of a short text are not even
 * counted. Steps that go on with the square of the length take hundreds of milliseconds.
 */
const SLACK_MS = 10;

function msOf(text: string, times: number): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) parse(text);
  return performance.now() - start;
}

/** The long text's time by that of as many bytes in short ones: the median of rounds in which both are read in turn. */
function slowness(short: string, long: string): number {
  const ratios = Array.from({ length: ROUNDS + 2 }, () => {
    const ofShort = msOf(short, TIMES);
    return msOf(long, 1) / (ofShort + SLACK_MS);
  });
  return ratios.slice(2).toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

describe.each(TEXTS)('%s', (_, write) => {
  test('of the greatest length parses', () => {
    const text = write(STATEMENT_BYTES_MAX);
    expect(text.length).toBeGreaterThan(STATEMENT_BYTES_MAX - 100);
    expect(parse(text).length).toBeGreaterThan(0);
  });

  test('takes as long as sixteen texts of a sixteenth of its length', () => {
    // Linear time is 1, quadratic time up to 16; a busy machine makes some rounds slower, of either.
    expect(slowness(write(SHORT_BYTES), write(STATEMENT_BYTES_MAX))).toBeLessThan(2.5);
  });
});

test('variables are put in all over the longest text', () => {
  const text = filled(STATEMENT_BYTES_MAX, () => ', ${v}', 'SELECT f(a', ') FROM s;');
  expect(parse(text, new Map([['v', '1']]))).toHaveLength(1);
});

describe('endless things are errors with a position', () => {
  function errorOf(sql: string): object {
    const [error] = parseScript(sql).errors;
    return { code: error?.code, position: error?.position };
  }

  test.each(['(', '[', 'f(', 'NOT ', '- '])('ten thousand of %s', (opening) => {
    const sql = `SELECT * FROM s WHERE ${opening.repeat(10_000)}`;
    expect(errorOf(sql)).toMatchObject({ position: { line: 1, column: expect.any(Number) } });
  });

  test('ten thousand parentheses that are closed again', () => {
    const sql = `SELECT ${'('.repeat(10_000)}a${')'.repeat(10_000)} FROM s;`;
    expect(errorOf(sql)).toMatchObject({ code: 'LIMIT', position: { line: 1 } });
  });

  test.each([
    ['text', "SHOW STREAMS;\n  SELECT 'abc FROM s;", { line: 2, column: 10 }],
    ['name in backticks', 'SHOW STREAMS;\n  SELECT `abc FROM s;', { line: 2, column: 10 }],
    ['comment', 'SHOW STREAMS;\n  /* abc', { line: 2, column: 3 }],
    [
      'text of the greatest length',
      `'${'x'.repeat(STATEMENT_BYTES_MAX - 1)}`,
      { line: 1, column: 1 },
    ],
  ])('a %s that does not end', (_, sql, position) => {
    expect(errorOf(sql)).toEqual({ code: 'SYNTAX', position });
  });

  test.each([
    ['of a source', 'CREATE STREAM s (', (i: number) => `c T${i}`, ');'],
    ['of a query', 'SELECT ', (i: number) => `c${i}`, ' FROM s;'],
  ])('ten thousand columns %s', (_, head, column, tail) => {
    const columns = Array.from({ length: 10_000 }, (_, i) => column(i % 10));
    const { position } = parseScript(head + columns.join(',') + tail).errors[0] ?? {};
    const before = columns.slice(0, COLUMNS_MAX).join(',').length + 1;
    expect(position).toEqual({ line: 1, column: head.length + before + 1 });
  });
});
