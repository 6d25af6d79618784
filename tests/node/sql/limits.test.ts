// Each limit of the parser holds at its maximum and refuses one more, with a position.

import { describe, expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import {
  AST_DEPTH_MAX,
  COLUMNS_MAX,
  STATEMENT_BYTES_MAX,
  SYNTAX_ERRORS_MAX,
} from '../../../runtime/base/limits.ts';
import { parse, parseColumns, parseExpression, parseScript } from '../../../runtime/sql/parser.ts';
import { printExpression } from '../../../runtime/sql/print-expression.ts';
import { print } from '../../../runtime/sql/print.ts';
import { substitute } from '../../../runtime/sql/substitution.ts';

function errorOf(read: () => unknown): StatementError {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof StatementError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('nesting', () => {
  const wrap =
    (open: string, close: string, inner = 'a') =>
    (levels: number) =>
      open.repeat(levels) + inner + close.repeat(levels);
  const expressions: [string, (levels: number) => string][] = [
    ['parentheses', wrap('(', ')')],
    ['NOT', wrap('NOT ', '')],
    ['unary minus', wrap('- ', '')],
    ['calls', wrap('f(', ')')],
    ['array constructors', wrap('ARRAY[', ']')],
    ['maps', wrap('MAP(1 := ', ')')],
    ['structs', wrap('STRUCT(x := ', ')')],
    ['subscripts', wrap('a[', ']')],
    ['chains of subscripts', wrap('', '[1]')],
    ['chains of fields', wrap('', '->b')],
    ['chains of time zones', wrap('', " AT TIME ZONE 'UTC'")],
    ['searched CASE', wrap('CASE WHEN a THEN ', ' END')],
    ['simple CASE', wrap('CASE ', ' WHEN a THEN a END')],
    ['casts', wrap('CAST(', ' AS INT)')],
    ['IN lists', wrap('a IN (', ')')],
    ['sums, which nest to the left', wrap('', ' + a')],
    ['products, which nest to the left', wrap('', ' * a')],
    ['lambdas', (levels) => wrap('f(x => ', ')')(levels / 2)],
  ];

  test.each(expressions)('%s go to the limit and no further', (_, write) => {
    const deepest = write(AST_DEPTH_MAX - (AST_DEPTH_MAX % 2));
    expect(printExpression(parseExpression(deepest))).not.toBe('');
    const { code, position } = errorOf(() => parseExpression(write(AST_DEPTH_MAX + 2)));
    expect({ code, line: position?.line }).toEqual({ code: 'LIMIT', line: 1 });
  });

  test.each(expressions)(
    'a thousand levels of %s are refused, not run out of stack on',
    (_, write) => {
      expect(errorOf(() => parseExpression(write(2000))).code).toBe('LIMIT');
    },
  );

  test('the limit is exact', () => {
    expect(parseExpression('('.repeat(AST_DEPTH_MAX) + 'a' + ')'.repeat(AST_DEPTH_MAX)).kind).toBe(
      'Column',
    );
    const beyond = AST_DEPTH_MAX + 1;
    const sql = '('.repeat(beyond) + 'a' + ')'.repeat(beyond);
    expect(errorOf(() => parseExpression(sql)).position).toEqual({ line: 1, column: beyond + 1 });
    expect(parseExpression(`a${' + a'.repeat(AST_DEPTH_MAX)}`).kind).toBe('Arithmetic');
    expect(errorOf(() => parseExpression(`a${' + a'.repeat(beyond)}`)).code).toBe('LIMIT');
  });

  test('ten thousand open parentheses are an error with a position', () => {
    const { code, position } = errorOf(() => parse(`SELECT ${'('.repeat(10_000)}`));
    expect({ code, position }).toEqual({
      code: 'LIMIT',
      position: { line: 1, column: 'SELECT '.length + AST_DEPTH_MAX + 2 },
    });
  });

  test.each([
    ['arrays', (levels: number) => `a ${'ARRAY<'.repeat(levels)}INT${'>'.repeat(levels)}`],
    ['maps', (levels: number) => `a ${'MAP<INT, '.repeat(levels)}INT${'>'.repeat(levels)}`],
    ['structs', (levels: number) => `a ${'STRUCT<x '.repeat(levels)}INT${'>'.repeat(levels)}`],
    ['arrays behind their element', (levels: number) => `a INT${' ARRAY'.repeat(levels)}`],
  ])('types of nested %s go to the limit and no further', (_, write) => {
    expect(parseColumns(write(AST_DEPTH_MAX))).toHaveLength(1);
    expect(errorOf(() => parseColumns(write(AST_DEPTH_MAX + 1))).code).toBe('LIMIT');
    expect(errorOf(() => parseColumns(write(5000))).code).toBe('LIMIT');
  });

  test('EXPLAIN of EXPLAIN goes to the limit and no further', () => {
    const write = (levels: number): string => `${'EXPLAIN '.repeat(levels)}SHOW STREAMS`;
    expect(parse(write(AST_DEPTH_MAX)).map(print)).toEqual([write(AST_DEPTH_MAX)]);
    expect(errorOf(() => parse(write(AST_DEPTH_MAX + 1))).code).toBe('LIMIT');
    expect(errorOf(() => parse(write(8000))).code).toBe('LIMIT');
  });

  test('a condition may have thousands of terms, which do not nest', () => {
    const terms = Array.from({ length: 5000 }, (_, index) => `A = ${index}`);
    const expression = parseExpression(terms.join(' OR '));
    expect(expression).toMatchObject({ kind: 'Logical', operator: 'OR' });
    expect(printExpression(expression)).toBe(terms.join(' OR '));
  });
});

describe('length', () => {
  test('a text of the greatest length parses, and one byte more is refused where it is too much', () => {
    const sql = `SHOW STREAMS; --${' '.repeat(STATEMENT_BYTES_MAX - 16)}`;
    expect(sql).toHaveLength(STATEMENT_BYTES_MAX);
    expect(parse(sql)).toHaveLength(1);
    const { code, position } = errorOf(() => parse(`${sql} `));
    expect({ code, position }).toEqual({
      code: 'LIMIT',
      position: { line: 1, column: STATEMENT_BYTES_MAX + 1 },
    });
  });

  test.each(['é', '€', '😀'])('%s counts as its UTF-8 bytes', (character) => {
    const bytes = new TextEncoder().encode(character).length;
    const count = Math.floor((STATEMENT_BYTES_MAX - 2) / bytes);
    const rest = ' '.repeat(STATEMENT_BYTES_MAX - 2 - count * bytes);
    const text = `'${character.repeat(count)}'${rest}`;
    expect(new TextEncoder().encode(text)).toHaveLength(STATEMENT_BYTES_MAX);
    expect(parseExpression(text).kind).toBe('String');
    expect(errorOf(() => parseExpression(`${text} `)).code).toBe('LIMIT');
  });

  test('variables cannot make a statement longer than that', () => {
    const half = 'x'.repeat(STATEMENT_BYTES_MAX / 2);
    const variables = new Map([['v', half]]);
    expect(substitute("'${v}', '", variables)).toHaveLength(5 + half.length);
    expect(substitute('${v}${v}', variables)).toHaveLength(STATEMENT_BYTES_MAX);
    expect(errorOf(() => substitute('${v}${v} ${v}', variables)).code).toBe('LIMIT');
  });
});

describe('columns', () => {
  const columns = (count: number): string =>
    Array.from({ length: count }, (_, index) => `c${index} INT`).join(', ');
  const items = (count: number): string =>
    Array.from({ length: count }, (_, index) => `c${index}`).join(', ');

  test('a source has at most the greatest number of columns', () => {
    expect(parseColumns(columns(COLUMNS_MAX))).toHaveLength(COLUMNS_MAX);
    const beyond = columns(COLUMNS_MAX + 1);
    const { code, position } = errorOf(() => parse(`CREATE STREAM s (${beyond});`));
    const column = 'CREATE STREAM s ('.length + beyond.lastIndexOf('c') + 1;
    expect({ code, position }).toEqual({ code: 'LIMIT', position: { line: 1, column } });
  });

  test('a query selects at most as many', () => {
    expect(parse(`SELECT ${items(COLUMNS_MAX)} FROM s`)).toHaveLength(1);
    expect(errorOf(() => parse(`SELECT ${items(COLUMNS_MAX + 1)} FROM s`)).code).toBe('LIMIT');
  });
});

describe('errors of one text', () => {
  const faulty = (count: number): string => 'SHOW nothing;\n'.repeat(count);

  test('are all reported up to the greatest number', () => {
    const { statements, errors } = parseScript(`${faulty(SYNTAX_ERRORS_MAX - 1)}SHOW STREAMS;`);
    expect([statements.length, errors.length]).toEqual([1, SYNTAX_ERRORS_MAX - 1]);
  });

  test('end the reading at the greatest number', () => {
    const { statements, errors } = parseScript(`${faulty(SYNTAX_ERRORS_MAX + 50)}SHOW STREAMS;`);
    expect([statements.length, errors.length]).toEqual([0, SYNTAX_ERRORS_MAX]);
    expect(errors.at(-1)?.position?.line).toBe(SYNTAX_ERRORS_MAX);
  });
});
