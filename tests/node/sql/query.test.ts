// Queries: select items, sources, joins, windows, grouping, EMIT and the order of clauses.

import { describe, expect, test } from 'vitest';
import { durationMs } from '../../../runtime/sql/ast.ts';
import type { Query } from '../../../runtime/sql/ast.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { print } from '../../../runtime/sql/print.ts';
import { plain } from './plain.ts';

function query(sql: string): Query {
  const [statement] = parse(sql);
  if (statement?.kind !== 'Select') throw new Error(`no query: ${sql}`);
  return statement.query;
}

const printed = (sql: string): string => parse(sql).map(print).join(';');

test('reads the query of the README clause by clause', () => {
  const sql =
    'SELECT net, COUNT(*) AS n, MAX(mag) AS strongest FROM quakes WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 6 HOURS) GROUP BY net EMIT CHANGES;';
  expect(query(sql)).toMatchObject({
    items: [
      { kind: 'Item', alias: null },
      { alias: { text: 'N' } },
      { alias: { text: 'STRONGEST' } },
    ],
    from: { name: { text: 'QUAKES' }, alias: null },
    joins: [],
    window: {
      kind: 'Tumbling',
      size: { amount: 1, unit: 'HOURS' },
      retention: null,
      grace: { amount: 6 },
    },
    where: null,
    groupBy: [{ kind: 'Column', name: { text: 'NET' } }],
    partitionBy: null,
    having: null,
    orderBy: null,
    emit: { mode: 'CHANGES', every: null },
    limit: null,
  });
});

test('takes every clause in its order', () => {
  const sql =
    'SELECT * FROM A WINDOW SESSION (5 MINUTES) WHERE B = 1 GROUP BY C PARTITION BY D HAVING E > 1 ORDER BY F DESC, G ASC EMIT CHANGES EVERY 2 SECONDS LIMIT 3';
  expect(printed(sql)).toBe(sql);
});

describe('select items', () => {
  test('stars, aliases with and without AS, and the fields of a struct', () => {
    expect(plain(query('SELECT *, a.*, b->c->*, d e, f AS g FROM s').items)).toMatchObject([
      { kind: 'Star', source: null },
      { kind: 'Star', source: { text: 'A' } },
      { kind: 'StructStar', operand: { kind: 'Field', field: { text: 'C' } } },
      { kind: 'Item', alias: { text: 'E' } },
      { kind: 'Item', alias: { text: 'G' } },
    ]);
  });

  test('a star after an operation is refused', () => {
    expect(() => query('SELECT a + b->* FROM s')).toThrow(/->\* follows a STRUCT/);
    expect(() => query('SELECT a FROM s WHERE b->* = 1')).toThrow(/found '->'/);
  });
});

describe('sources', () => {
  test('a clause is no alias, although its first word could name something', () => {
    expect(query('SELECT * FROM s EMIT CHANGES').from.alias).toBeNull();
    expect(query('SELECT * FROM s PARTITION BY a').from.alias).toBeNull();
    expect(query('SELECT * FROM s ORDER BY a').from.alias).toBeNull();
    expect(query('SELECT * FROM s AS emit EMIT FINAL').from.alias).toMatchObject({ text: 'EMIT' });
  });

  test.each([
    ['JOIN', 'INNER'],
    ['INNER JOIN', 'INNER'],
    ['LEFT JOIN', 'LEFT'],
    ['LEFT OUTER JOIN', 'LEFT'],
    ['RIGHT OUTER JOIN', 'RIGHT'],
    ['FULL JOIN', 'FULL'],
    ['FULL OUTER JOIN', 'FULL'],
  ])('%s is %s', (words, type) => {
    expect(query(`SELECT * FROM a ${words} b ON a.id = b.id`).joins).toMatchObject([{ type }]);
  });

  test('joins follow one another, each with its own window and grace', () => {
    const sql =
      'SELECT * FROM A AS X LEFT JOIN B AS Y WITHIN 1 HOUR GRACE PERIOD 5 MINUTES ON X.ID = Y.ID INNER JOIN C WITHIN (1 SECOND, 0 DAYS) ON C.ID = Y.ID';
    expect(printed(sql)).toBe(sql);
    expect(query(sql).joins).toMatchObject([
      {
        within: {
          before: { amount: 1, unit: 'HOURS' },
          after: { amount: 1, unit: 'HOURS' },
          grace: { amount: 5 },
        },
      },
      { within: { before: { unit: 'SECONDS' }, after: { amount: 0, unit: 'DAYS' }, grace: null } },
    ]);
  });
});

describe('windows', () => {
  test.each([
    'TUMBLING (SIZE 1 DAY)',
    'TUMBLING (SIZE 30 SECONDS, RETENTION 7 DAYS, GRACE PERIOD 30 MINUTES)',
    'HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS)',
    'HOPPING (SIZE 30 SECONDS, ADVANCE BY 1 MILLISECOND, GRACE PERIOD 0 MILLISECONDS)',
    'SESSION (60 SECONDS)',
    'SESSION (60 SECONDS, RETENTION 1 HOUR, GRACE PERIOD 1 HOUR)',
    'SLIDING (SIZE 1 HOUR, GRACE PERIOD 1 HOUR)',
  ])('%s', (window) => {
    expect(printed(`SELECT * FROM A WINDOW ${window} GROUP BY B`)).toContain(`WINDOW ${window} `);
  });

  test('RETENTION and GRACE PERIOD come in either order, each once', () => {
    const both =
      'SELECT * FROM a WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 1 HOUR, RETENTION 1 DAY)';
    expect(query(both).window).toMatchObject({
      retention: { unit: 'DAYS' },
      grace: { unit: 'HOURS' },
    });
    expect(() =>
      query('SELECT * FROM a WINDOW SESSION (1 HOUR, GRACE PERIOD 1 HOUR, GRACE PERIOD 1 HOUR)'),
    ).toThrow(/expected RETENTION, found GRACE/);
  });

  test('a window may have a name, which means nothing', () => {
    const unnamed = query('SELECT * FROM a WINDOW SESSION (1 HOUR)');
    expect(plain(query('SELECT * FROM a WINDOW w SESSION (1 HOUR)'))).toEqual(plain(unnamed));
  });

  test('a span is its milliseconds, up to what a double holds exactly', () => {
    expect(durationMs({ amount: 90, unit: 'MINUTES' })).toBe(5_400_000);
    expect(durationMs({ amount: 2, unit: 'DAYS' })).toBe(172_800_000);
    expect(() => query('SELECT * FROM a WINDOW SESSION (9007199254740991 SECONDS)')).toThrow(
      /too long a time/,
    );
    expect(
      query('SELECT * FROM a WINDOW SESSION (9007199254740991 MILLISECONDS)').window,
    ).not.toBeNull();
  });
});

describe('lists of GROUP BY and PARTITION BY', () => {
  test.each([
    ['a', 1],
    ['a, b', 2],
    ['(a, b)', 2],
    ['(a)', 1],
    ['()', 0],
    ['(a) + 1, b', 2],
    ['(f(a, b))', 1],
    ['(a[1] + 1), (b)', 2],
    ['((a), b)', 2],
    ['CASE WHEN a = 1 THEN 2 END, (a = 1)', 2],
  ])('%s has %i expressions', (list, count) => {
    expect(query(`SELECT * FROM s GROUP BY ${list} EMIT CHANGES`).groupBy).toHaveLength(count);
    expect(query(`SELECT * FROM s PARTITION BY ${list}`).partitionBy).toHaveLength(count);
  });

  test.each(['a AND b', 'a, (b, c)', 'a = 1'])('%s is no such list', (list) => {
    expect(() => query(`SELECT * FROM s GROUP BY ${list}`)).toThrow(/expected/);
  });
});
