// Units of time, text beside times, and zones: what they become and what is refused.

import { expect, test } from 'vitest';
import { scopeOf } from '../../../runtime/analyze/scope.ts';
import { typed } from '../../../runtime/analyze/typing.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { exprText } from '../../../runtime/plan/print-expr.ts';
import { parseExpression } from '../../../runtime/sql/parser.ts';
import { Session } from '../plan/session.ts';

const session = new Session();
session.run(`
  CREATE STREAM s (id INT KEY, i INT, day DATE, hour INT, t TIME, ts TIMESTAMP, a STRING)
    WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
`);
const scope = scopeOf(session.catalog.source('S'), null);
const context = {
  scope,
  registry: builtinRegistry(),
  types: session.catalog.types,
  clause: 'SELECT',
};

const shown = (sql: string): string => exprText(typed(parseExpression(sql), context), scope.row);

test.each([
  // A unit in the singular is the unit of the function that takes one, also where a column is called so.
  ['DATEADD(DAY, i, day)', "DATEADD('DAYS', I, DAY)"],
  ['timestampsub(millisecond, 5, ts)', "TIMESTAMPSUB('MILLISECONDS', 5, TS)"],
  ['TIMEADD(HOUR, hour, t)', "TIMEADD('HOURS', HOUR, T)"],
  // Elsewhere it is the column.
  ['ABS(hour)', 'ABS(HOUR)'],
  // Text is the time that it is compared with, or that a function takes.
  ["day > '2026-01'", "(DAY > CAST('2026-01' AS DATE))"],
  ["'10:30' = t", "(CAST('10:30' AS TIME) = T)"],
  ['day < ts', '(CAST(DAY AS TIMESTAMP) < TS)'],
  ["DATESUB(DAYS, 1, '2026-01-02')", "DATESUB('DAYS', 1, CAST('2026-01-02' AS DATE))"],
  // Text beside ROWTIME is a point in time, partial or with an offset.
  ["ROWTIME >= '2020'", '(ROWTIME >= 1577836800000)'],
  ["s.ROWTIME < '2020-01-01T01:00+0100'", '(ROWTIME < 1577836800000)'],
  [
    "ROWTIME BETWEEN '2020' AND '2020-01-02'",
    '((ROWTIME >= 1577836800000) AND (ROWTIME <= 1577923200000))',
  ],
])('%s', (sql, expected) => {
  expect(shown(sql)).toBe(expected);
});

test.each([
  ["DATEADD('DAYS', 1, day)", 'DATEADD takes a unit of time as argument 1'],
  ['DATEADD(day, 1, DAYS)', 'DATEADD takes no unit of time as argument 3'],
  ['DATEADD(i, 1, day)', 'DATEADD takes a unit of time as argument 1'],
  ['ABS(DAYS)', 'ABS takes no unit of time as argument 1'],
  ['DATEADD(DAYS, 1, t)', 'DATEADD does not take (STRING, INTEGER, TIME)'],
  ["ROWTIME > '2020-01-01 10:00'", "'2020-01-01 10:00' is no point in time"],
  ['day = t', 'cannot compare DATE with TIME by ='],
  ['ts > 5', 'cannot compare TIMESTAMP with INTEGER by >'],
  ['ts - 5', 'cannot compute TIMESTAMP - INTEGER'],
  ['CAST(t AS DATE)', 'there is no CAST of TIME to DATE'],
  ["ts AT TIME ZONE 'UTC'", 'a TIMESTAMP is an instant and is in no time zone'],
])('%s is refused', (sql, message) => {
  expect(() => shown(sql)).toThrow(message);
});
