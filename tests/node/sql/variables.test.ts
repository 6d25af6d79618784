// Variables: where they are replaced, what a value may be, and the places of what follows them.

import { describe, expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { parse, parseScript } from '../../../runtime/sql/parser.ts';
import { print } from '../../../runtime/sql/print.ts';
import { substitute } from '../../../runtime/sql/substitution.ts';

const variables = new Map([
  ['name', 'orders'],
  ['N', '3'],
  ['minus', '-1'],
  ['quote', "it's `x`"],
  ['text', "'abc'"],
  ['quoted', '`a b`'],
  ['clause', '1; DROP STREAM s'],
  ['keyword', 'SELECT'],
  ['nothing', ''],
  ['nested', '${name}'],
]);

describe('substitution', () => {
  test.each([
    ['SELECT * FROM ${name}', 'SELECT * FROM orders'],
    ['${NAME}_2 ${n}', 'orders_2 3'],
    ["'${name} ${quote}'", "'orders it''s `x`'"],
    ['`${quote}`', "`it's ``x```"],
    ['"${name}"', '"orders"'],
    ['${text} ${quoted}', "'abc' `a b`"],
    ['a -${minus}', 'a - -1'],
    ["'${nothing}'", "''"],
    ["'${nested}'", "'${name}'"],
    ["'$${name}' $${name}", "'${name}' ${name}"],
    ["'$$${name}'", "'$${name}'"],
    [
      "${unknown} '${unknown}' '$name' '{name}' '${a b}'",
      "${unknown} '${unknown}' '$name' '{name}' '${a b}'",
    ],
    ['-- ${name}\n/* ${name} */ ${name}', '-- ${name}\n/* ${name} */ orders'],
    ['no variables', 'no variables'],
  ])('%s becomes %s', (sql, expected) => {
    expect(substitute(sql, variables)).toBe(expected);
  });

  test.each(['clause', 'keyword', 'nothing', 'quote', 'nested'])(
    'a value is one name or constant, unlike ${%s}',
    (name) => {
      expect(() => substitute(`a \${${name}}`, variables)).toThrow(
        `line 1:3: the value of \${${name}} is not one name or one constant`,
      );
    },
  );
});

describe('scripts', () => {
  test('DEFINE counts for the statements behind it, until UNDEFINE', () => {
    const { statements, errors } = parseScript(
      "DEFINE Topic = 't1'; PRINT '${topic}'; DEFINE topic = 't2'; PRINT ${TOPIC}; UNDEFINE ToPic;\nPRINT ${topic};",
    );
    expect(statements.map(print)).toEqual([
      "DEFINE Topic = 't1'",
      "PRINT 't1'",
      "DEFINE topic = 't2'",
      "PRINT 't2'",
      'UNDEFINE ToPic',
    ]);
    expect(errors.map(({ message, hint }) => [message, hint])).toEqual([
      ['line 2:7: the variable ${topic} is not defined', "DEFINE topic = '...'; before."],
    ]);
  });

  test('a value in triple quotes is text with its quotes', () => {
    expect(parse("DEFINE t = '''x'''; PRINT ${t};").map(print)).toEqual([
      "DEFINE t = '''x'''",
      "PRINT 'x'",
    ]);
  });

  test("a statement's text has the values in it", () => {
    expect(parse("DEFINE n = '3'; SELECT ${n}, '${n}' FROM s;")[1]?.text).toBe(
      "SELECT 3, '3' FROM s",
    );
  });

  test('the variables handed in are not changed', () => {
    const before = new Map([['a', '1']]);
    parse("DEFINE b = '2'; UNDEFINE a;", before);
    expect([...before]).toEqual([['a', '1']]);
  });

  test('places are those of the text before replacement', () => {
    const long = new Map([['v', 'a_rather_long_name']]);
    const sql = 'SHOW STREAMS;\nSELECT ${v}, `${v}`, b\nFROM ${v} WHERE c';
    expect(parse(sql, long)[1]).toMatchObject({
      at: { line: 2, column: 1 },
      query: {
        items: [
          { at: { line: 2, column: 8 } },
          { at: { line: 2, column: 14 } },
          { at: { line: 2, column: 22 } },
        ],
        from: { at: { line: 3, column: 6 } },
        where: { at: { line: 3, column: 17 } },
      },
    });
    const { errors } = parseScript('SELECT ${v} ${v} ) FROM s', long);
    expect(errors.map((error) => error.position)).toEqual([{ line: 1, column: 18 }]);
  });

  test('a value that is refused stops its own statement only', () => {
    const { statements, errors } = parseScript('PRINT ${clause}; SHOW STREAMS', variables);
    expect(errors.map((error) => error instanceof StatementError && error.code)).toEqual([
      'SYNTAX',
    ]);
    expect(statements.map(print)).toEqual(['SHOW STREAMS']);
  });
});
