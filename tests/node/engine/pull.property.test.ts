// Any WHERE over a table gives the rows that a filter in JavaScript gives of all rows, whichever keys and ranges it names.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';

/** Numbers are held in thousandths, so that every literal is exact. */
const THOUSANDTHS = 1000n;

/** A row as the oracle sees it: by column, text or an exact or inexact number. */
type Row = Readonly<Record<string, string | bigint | number>>;

/** A row as it is inserted. */
type Given = Readonly<Record<string, unknown>>;

/** A condition in both languages. */
interface Condition {
  readonly sql: string;
  readonly holds: (row: Row) => boolean;
}

/** A table by its name, the columns that conditions compare, and literals for each. */
interface Asked {
  readonly name: string;
  readonly columns: Readonly<Record<string, readonly Literal[]>>;
  readonly rows: readonly Row[];
}

interface Literal {
  readonly sql: string;
  readonly value: string | bigint | number;
}

const OPERATORS = ['=', '<>', '<', '<=', '>', '>='] as const;

function holds(op: (typeof OPERATORS)[number], a: Row[string], b: Row[string]): boolean {
  const order = a < b ? -1 : a > b ? 1 : 0;
  switch (op) {
    case '=':
      return order === 0;
    case '<>':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

const valueOf = (row: Row, column: string): Row[string] => row[column] ?? '';

function leaf({ columns }: Asked): fc.Arbitrary<Condition> {
  const column = fc.constantFrom(...Object.keys(columns));
  const literal = (of: string) => fc.constantFrom(...(columns[of] ?? []));
  const compared = column.chain((of) =>
    fc
      .record({ op: fc.constantFrom(...OPERATORS), than: literal(of), first: fc.boolean() })
      .map(({ op, than, first }): Condition => ({
        sql: first ? `${of} ${op} ${than.sql}` : `${than.sql} ${op} ${of}`,
        holds: (row) => {
          const value = valueOf(row, of);
          return first ? holds(op, value, than.value) : holds(op, than.value, value);
        },
      })),
  );
  const listed = column.chain((of) =>
    fc.array(literal(of), { minLength: 1, maxLength: 4 }).map((list): Condition => ({
      sql: `${of} IN (${list.map(({ sql }) => sql).join(', ')})`,
      holds: (row) => list.some(({ value }) => holds('=', valueOf(row, of), value)),
    })),
  );
  const between = column.chain((of) =>
    fc.tuple(literal(of), literal(of)).map(([low, high]): Condition => ({
      sql: `${of} BETWEEN ${low.sql} AND ${high.sql}`,
      holds: (row) =>
        holds('>=', valueOf(row, of), low.value) && holds('<=', valueOf(row, of), high.value),
    })),
  );
  const texts = Object.keys(columns).filter((of) => typeof columns[of]?.[0]?.value === 'string');
  if (texts.length === 0) return fc.oneof(compared, listed, between);
  const like = fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom('a', 'b', 'a%', '%b', ''))
    .chain(([of, end]) =>
      literal(of).map(({ value }): Condition => {
        const text = String(value);
        const inner = end.replace('%', '');
        const matches = (of_: string): boolean =>
          end === '%b'
            ? of_.startsWith(text) && of_.slice(text.length).endsWith(inner)
            : end === 'a%'
              ? of_.startsWith(text + inner)
              : of_ === text + inner;
        return {
          sql: `${of} LIKE '${text.replaceAll("'", "''")}${end}'`,
          holds: (row) => matches(String(valueOf(row, of))),
        };
      }),
    );
  return fc.oneof(compared, listed, between, like);
}

function condition(asked: Asked): fc.Arbitrary<Condition> {
  return fc.letrec<{ all: Condition; many: Condition; none: Condition }>((tie) => ({
    all: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf(asked),
      tie('many'),
      tie('none'),
    ),
    many: fc
      .tuple(fc.constantFrom('AND', 'OR'), fc.array(tie('all'), { minLength: 2, maxLength: 3 }))
      .map(([op, parts]) => ({
        sql: `(${parts.map(({ sql }) => sql).join(` ${op} `)})`,
        holds: (row) =>
          op === 'AND'
            ? parts.every((part) => part.holds(row))
            : parts.some((part) => part.holds(row)),
      })),
    none: tie('all').map((part) => ({
      sql: `NOT (${part.sql})`,
      holds: (row) => !part.holds(row),
    })),
  })).all;
}

const numbers = (...texts: readonly string[]): readonly Literal[] =>
  texts.map((sql) => {
    const [whole = '', fraction = ''] = sql.split('.');
    return { sql, value: BigInt(whole + fraction.padEnd(3, '0')) };
  });
const doubles = (...values: readonly number[]): readonly Literal[] =>
  values.map((value) => ({ sql: value.toExponential().toUpperCase().replace('+', ''), value }));
const texts = (...values: readonly string[]): readonly Literal[] =>
  values.map((value) => ({ sql: `'${value.replaceAll("'", "''")}'`, value }));
const thousandths = (value: number | bigint | string): bigint =>
  typeof value === 'string' ? (numbers(value)[0]?.value as bigint) : BigInt(value) * THOUSANDTHS;

const COUNTS = numbers('1', '2', '3', '1.5');
const WORDS = [
  '',
  'a',
  'ab',
  'abc',
  'b',
  "it's",
  '\uE000',
  '\uFFFD',
  '😀',
  '😀a',
  'a😀',
  'a\uF000',
];
const BIGS = [-(2n ** 62n), -3n, 0n, 1n, 7n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];

let engine: Engine;
const tables: Asked[] = [];

/** Makes a table that counts the rows of a stream, each key as often as its place says, and names its rows. */
async function make(
  name: string,
  keys: readonly string[],
  given: readonly Given[],
  shown: (row: Given) => Row,
  columns: Asked['columns'],
  window = '',
): Promise<void> {
  const grouping = keys.map((key) => key.split(' ')[0]).join(', ');
  await engine.execute(`
    CREATE STREAM ${name}_in (${keys.join(', ')}, ms BIGINT)
      WITH (KAFKA_TOPIC='${name}_in', PARTITIONS=3, FORMAT='JSON', TIMESTAMP='ms');
    CREATE TABLE ${name} AS SELECT ${grouping}, COUNT(*) AS n FROM ${name}_in ${window}
      GROUP BY ${grouping};`);
  const rows = given.flatMap((row, place) =>
    Array.from({ length: (place % 3) + 1 }, () => ({ ms: 0, ...row })),
  );
  await engine.insert(`${name}_in`, rows);
  tables.push({
    name,
    columns: { ...columns, n: COUNTS },
    rows: given.map((row, place) => ({ ...shown(row), n: thousandths((place % 3) + 1) })),
  });
}

beforeAll(async () => {
  engine = await open();
  const ints = [-2147483648, -7, 0, 3, 4, 5, 2147483647];
  await make(
    'of_integers',
    ['k INT KEY'],
    ints.map((k) => ({ k })),
    ({ k }) => ({ k: thousandths(k as number) }),
    {
      k: numbers(
        '-7',
        '0',
        '3',
        '3.5',
        '4.000',
        '-7.25',
        '3000000000',
        '-3000000000',
        '2147483647',
      ),
    },
  );
  await make(
    'of_bigints',
    ['k BIGINT KEY'],
    BIGS.map((k) => ({ k })),
    ({ k }) => ({ k: thousandths(k as bigint) }),
    {
      k: numbers(
        '-3',
        '0',
        '0.001',
        '7',
        '9007199254740992',
        '9007199254740993',
        '99999999999999999999.5',
      ),
    },
  );
  await make(
    'of_doubles',
    ['k DOUBLE KEY'],
    [-1.5e300, -1, -0, 0, 0.5, 1, 1e300].map((k) => ({ k })),
    ({ k }) => ({ k: k as number }),
    { k: doubles(-1, -0, 0, 0.5, 1, 1e300, 2) },
  );
  await make(
    'of_decimals',
    ['k DECIMAL(6, 2) KEY'],
    ['-9999.99', '-0.01', '0.00', '1.00', '1.25', '9999.99'].map((k) => ({ k })),
    ({ k }) => ({ k: thousandths(k as string) }),
    { k: numbers('0', '0.001', '1.25', '1.255', '-0.01', '9999.99', '100000', '-100000.5') },
  );
  await make(
    'of_texts',
    ['k STRING KEY'],
    WORDS.map((k) => ({ k })),
    ({ k }) => ({ k: k as string }),
    { k: texts(...WORDS, 'aa', '\u007F') },
  );
  await make(
    'of_pairs',
    ['a STRING KEY', 'b INT KEY'],
    ['a', 'ab', '😀'].flatMap((a) => [-1, 0, 1].map((b) => ({ a, b }))),
    ({ a, b }) => ({ a: a as string, b: thousandths(b as number) }),
    { a: texts('a', 'ab', 'b', '😀', '\uE000'), b: numbers('-1', '0', '0.5', '1') },
  );
  await make(
    'of_windows',
    ['k STRING KEY'],
    ['a', 'b'].flatMap((k) => [0, 10, 20, 35].map((ms) => ({ k, ms }))),
    ({ k, ms }) => {
      const start = Math.floor((ms as number) / 10) * 10;
      const bounds = { windowstart: thousandths(start), windowend: thousandths(start + 10) };
      return { k: k as string, ...bounds };
    },
    {
      k: texts('a', 'b', 'c'),
      windowstart: numbers('0', '10', '10.0', '15', '19.5', '30', '9223372036854775807'),
      windowend: numbers('0', '10', '10.0', '15', '19.5', '30'),
    },
    'WINDOW TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 1 DAY)',
  );
  await make(
    'of_sessions',
    ['k STRING KEY'],
    ['a', 'b'].flatMap((k) => [0, 10, 20, 35].map((ms) => ({ k, ms }))),
    ({ k, ms }) => {
      const at = thousandths(ms as number);
      return { k: k as string, windowstart: at, windowend: at };
    },
    {
      k: texts('a', 'b', 'c'),
      windowstart: numbers('0', '10', '10.0', '15', '19.5', '35', '9223372036854775807'),
      windowend: numbers('0', '10', '10.0', '15', '19.5', '35'),
    },
    'WINDOW SESSION (5 MILLISECONDS, GRACE PERIOD 1 DAY)',
  );
  await engine.idle();
});

afterAll(() => engine.close());

/** Text by which rows of both sides are told apart; -0 and 0 are two keys. */
function shownRow(row: Readonly<Record<string, unknown>>, columns: readonly string[]): string {
  return columns
    .map((column) => {
      const value = row[column];
      return Object.is(value, -0) ? '-0' : String(value);
    })
    .join(' | ');
}

test.each([
  'of_integers',
  'of_bigints',
  'of_doubles',
  'of_decimals',
  'of_texts',
  'of_pairs',
  'of_windows',
  'of_sessions',
])('the table %s answers any condition as a filter over all its rows does', async (name) => {
  const asked = tables.find((table) => table.name === name);
  if (asked === undefined) throw new Error(`there is no table ${name}`);
  const columns = Object.keys(asked.columns);
  await fc.assert(
    fc.asyncProperty(condition(asked), async ({ sql, holds: passes }) => {
      const answer = await engine.query(`SELECT ${columns.join(', ')} FROM ${name} WHERE ${sql};`);
      const rows = (await answer.all()).map((row) => {
        const found = columns.map((column) => {
          const value = row[column.toUpperCase()];
          const isExact = typeof asked.rows[0]?.[column] === 'bigint';
          return [
            column,
            isExact ? thousandths(value as string | number | bigint) : value,
          ] as const;
        });
        return shownRow(Object.fromEntries(found), columns);
      });
      const expected = asked.rows.filter(passes).map((row) => shownRow(row, columns));
      expect(rows.sort()).toEqual(expected.sort());
    }),
    { numRuns: 200 },
  );
});
