// What is printed parses back to the same tree, and printing has one spelling.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Statement } from '../../../runtime/sql/ast.ts';
import { parse, parseExpression } from '../../../runtime/sql/parser.ts';
import { printExpression } from '../../../runtime/sql/print-expression.ts';
import { print } from '../../../runtime/sql/print.ts';
import { expressions } from './expression-arbitraries.ts';
import { plain } from './plain.ts';
import { statements } from './statement-arbitraries.ts';

describe('parse(print(tree)) is the tree', () => {
  test('for every expression', () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        expect(plain(parseExpression(printExpression(expression)))).toEqual(plain(expression));
      }),
      { numRuns: 2000 },
    );
  });

  test('for every statement', () => {
    const kinds = new Set<Statement['kind']>();
    fc.assert(
      fc.property(statements, (statement) => {
        kinds.add(statement.kind);
        expect(plain(parse(print(statement)))).toEqual([plain(statement)]);
      }),
      { numRuns: 2000 },
    );
    expect(kinds.size).toBe(33);
  });

  test('for several statements of one text, whatever their variables', () => {
    fc.assert(
      fc.property(fc.array(statements, { maxLength: 5 }), (list) => {
        const sql = list.map((statement) => `${print(statement)};\n`).join('');
        const variables = new Map([['v', 'value of v']]);
        expect(plain(parse(sql, variables))).toEqual(list.map(plain));
      }),
      { numRuns: 300 },
    );
  });
});

test("a statement's text is its own source and parses to the same statement", () => {
  fc.assert(
    fc.property(statements, statements, (first, second) => {
      const sql = `-- before\n ${print(first)} ; /* between */ ${print(second)};`;
      // `$${v}` is replaced by `${v}` in a statement's text.
      fc.pre(!sql.includes('${'));
      for (const statement of parse(sql)) {
        expect(sql).toContain(statement.text);
        expect(parse(statement.text).map(plain)).toEqual([plain(statement)]);
      }
    }),
    { numRuns: 300 },
  );
});
