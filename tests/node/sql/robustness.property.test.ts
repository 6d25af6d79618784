// Whatever the text, the parser answers with statements or with errors that point into it.

import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { parseColumns, parseExpression, parseScript } from '../../../runtime/sql/parser.ts';
import { print } from '../../../runtime/sql/print.ts';
import { substitute } from '../../../runtime/sql/substitution.ts';
import { statements } from './statement-arbitraries.ts';

const fragments =
  "CREATE OR REPLACE SOURCE STREAM TABLE TYPE IF NOT EXISTS a b `q` \"d\" ( ) [ ] < > <> , ; . -> => := = + - * / % || 'text' '' 1 2.5 1E0 10s ${v} $${v} $ WITH AS SELECT FROM JOIN LEFT WITHIN 1 HOUR GRACE PERIOD WINDOW TUMBLING HOPPING SESSION SIZE WHERE GROUP BY PARTITION HAVING ORDER EMIT CHANGES FINAL EVERY LIMIT INSERT INTO VALUES DROP DELETE TOPIC ALTER ADD COLUMN SYSTEM SET UNSET DEFINE UNDEFINE SHOW LIST ALL TOPICS DESCRIBE FUNCTION EXPLAIN PRINT BEGINNING INTERVAL ASSERT NULL KEY PRIMARY HEADER HEADERS TIMEOUT SCHEMA SUBJECT ID RUN SCRIPT CASE WHEN THEN ELSE END CAST ARRAY MAP STRUCT DECIMAL AND BETWEEN LIKE ESCAPE IN IS DISTINCT AT TIME ZONE TRUE -- /* */ ' ` \" \n".split(
    /(?<! ) /,
  );

const soups = fc
  .array(fc.constantFrom(...fragments), { maxLength: 30 })
  .map((parts) => parts.join(' '));

/** Statements with a stretch cut out, doubled, or replaced by something else. */
const mutants: Arbitrary<string> = fc
  .tuple(statements, fc.nat(), fc.nat(20), fc.constantFrom(...fragments, '', '\u0000', '\ud800'))
  .map(([statement, from, length, put]) => {
    const sql = print(statement);
    const start = from % (sql.length + 1);
    return `${sql.slice(0, start)}${put}${sql.slice(start + length)}`;
  });

const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), soups, mutants);

function expectInside(error: StatementError, sql: string): void {
  expect(['SYNTAX', 'LIMIT']).toContain(error.code);
  const { line, column } = error.position ?? { line: 0, column: 0 };
  const text = sql.split('\n')[line - 1];
  expect(text, `line ${line}`).toBeDefined();
  expect(column).toBeGreaterThanOrEqual(1);
  expect(column).toBeLessThanOrEqual((text ?? '').length + 1);
  expect(error.message).not.toMatch(/undefined|\[object|NaN/);
}

/** The error that reading ends with, or null; anything thrown that is not the writer's fault fails the test. */
function errorOf(read: () => unknown): StatementError | null {
  try {
    read();
    return null;
  } catch (thrown) {
    if (thrown instanceof StatementError) return thrown;
    throw thrown;
  }
}

test('a script gives statements, and errors with a position inside its text', () => {
  let refused = 0;
  fc.assert(
    fc.property(anything, (sql) => {
      const { errors } = parseScript(sql, new Map([['v', 'x']]));
      refused += errors.length;
      for (const error of errors) expectInside(error, sql);
    }),
    { numRuns: 5000 },
  );
  expect(refused).toBeGreaterThan(1000);
});

test('an error in one statement leaves the statements around it as they are', () => {
  const valid = statements.map(print);
  fc.assert(
    fc.property(valid, valid, (before, behind) => {
      const { statements, errors } = parseScript(`${before}; CREATE nonsense; ${behind}`);
      expect(statements.map(print)).toEqual([before, behind]);
      expect(errors).toHaveLength(1);
    }),
    { numRuns: 300 },
  );
});

test('expressions, column lists and substitution fail in the same way only', () => {
  const readers = [
    parseExpression,
    parseColumns,
    (sql: string) => substitute(sql, new Map([['v', 'no name']])),
  ];
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...readers), anything, (read, sql) => {
      const error = errorOf(() => read(sql));
      refused += error === null ? 0 : 1;
      if (error !== null) expectInside(error, sql);
    }),
    { numRuns: 2000 },
  );
  expect(refused).toBeGreaterThan(500);
});
