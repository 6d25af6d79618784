// Typed expressions beside what they mean: SQL text, and a function over one row that was written from the documents; knows no query.

import fc from 'fast-check';

export type Scalar = number | string | boolean | null;
export type Kind = 'INT' | 'BIGINT' | 'STRING' | 'BOOLEAN';

/** Values by the names under which SQL reads them. */
export type Fields = Readonly<Record<string, Scalar>>;

/** The expression fails on the row. */
export class Failure extends Error {}

export interface Node {
  readonly kind: Kind;
  readonly sql: string;
  /** @throws {Failure} */
  readonly run: (row: Fields) => Scalar;
}

/** What an expression can read. */
export interface Columns {
  readonly of: Readonly<Record<Kind, readonly string[]>>;
}

const node = (kind: Kind, sql: string, run: Node['run']): Node => ({ kind, sql, run });

/** Both operands are computed; a null among them makes the result null. */
const both =
  (a: Node, b: Node, compute: (x: number, y: number) => number): Node['run'] =>
  (row) => {
    const x = a.run(row);
    const y = b.run(row);
    return x === null || y === null ? null : compute(x as number, y as number) || 0;
  };

const ARITHMETIC = {
  '+': (x: number, y: number) => x + y,
  '-': (x: number, y: number) => x - y,
  '*': (x: number, y: number) => x * y,
  '/': (x: number, y: number) => {
    if (y === 0) throw new Failure();
    return Math.trunc(x / y);
  },
  '%': (x: number, y: number) => {
    if (y === 0) throw new Failure();
    return x % y;
  },
} as const;

const COMPARISONS = {
  '=': (x: Scalar, y: Scalar) => x === y,
  '<>': (x: Scalar, y: Scalar) => x !== y,
  '<': (x: Scalar, y: Scalar) => (x as number) < (y as number),
  '<=': (x: Scalar, y: Scalar) => (x as number) <= (y as number),
  '>': (x: Scalar, y: Scalar) => (x as number) > (y as number),
  '>=': (x: Scalar, y: Scalar) => (x as number) >= (y as number),
} as const;

export const comparisonOperators = fc.constantFrom(
  ...(Object.keys(COMPARISONS) as (keyof typeof COMPARISONS)[]),
);

/** A comparison with a null is false. */
export function compared(op: keyof typeof COMPARISONS, x: Scalar, y: Scalar): boolean {
  return x !== null && y !== null && COMPARISONS[op](x, y);
}

function literals(kind: Kind): fc.Arbitrary<Node> {
  switch (kind) {
    case 'INT':
      return fc
        .integer({ min: -3, max: 9 })
        .map((value) => node('INT', value < 0 ? `(${value})` : `${value}`, () => value));
    case 'BIGINT':
      return fc
        .integer({ min: -3, max: 9 })
        .map((value) => node('BIGINT', `CAST(${value} AS BIGINT)`, () => value));
    case 'STRING':
      return fc
        .constantFrom('', 'a', 'B', 'ab', "it's")
        .map((value) => node('STRING', `'${value.replaceAll("'", "''")}'`, () => value));
    case 'BOOLEAN':
      return fc.boolean().map((value) => node('BOOLEAN', value ? 'TRUE' : 'FALSE', () => value));
  }
}

function leaves(kind: Kind, columns: Columns): fc.Arbitrary<Node> {
  const names = columns.of[kind];
  if (names.length === 0) return literals(kind);
  const column = fc
    .constantFrom(...names)
    .map((name) => node(kind, name, (row) => row[name] ?? null));
  return fc.oneof({ weight: 3, arbitrary: column }, literals(kind));
}

const made = new WeakMap<Columns, Map<string, fc.Arbitrary<Node>>>();

/** Expressions of a kind over those columns, at most `depth` operations deep. Each generator is made once: they hold each other. */
export function expressions(kind: Kind, columns: Columns, depth: number): fc.Arbitrary<Node> {
  const own = made.get(columns) ?? new Map<string, fc.Arbitrary<Node>>();
  made.set(columns, own);
  const name = `${kind} ${depth}`;
  const known = own.get(name) ?? anyExpression(kind, columns, depth);
  own.set(name, known);
  return known;
}

/** Expressions of any kind. */
export const anything = (columns: Columns, depth: number): fc.Arbitrary<Node> =>
  fc
    .constantFrom('INT' as const, 'BIGINT' as const, 'STRING' as const, 'BOOLEAN' as const)
    .chain((kind) => expressions(kind, columns, depth));

function anyExpression(kind: Kind, columns: Columns, depth: number): fc.Arbitrary<Node> {
  if (depth === 0) return leaves(kind, columns);
  const of = (inner: Kind): fc.Arbitrary<Node> => expressions(inner, columns, depth - 1);
  const own: fc.Arbitrary<Node>[] = [leaves(kind, columns), cases(kind, of), coalesced(kind, of)];
  if (kind === 'INT') own.push(arithmetic(kind, of('INT'), of('INT')), lengths(of('STRING')));
  if (kind === 'BIGINT') {
    own.push(arithmetic(kind, of('BIGINT'), fc.oneof(of('INT'), of('BIGINT'))));
    own.push(of('INT').map((a) => node(kind, `CAST(${a.sql} AS BIGINT)`, a.run)));
  }
  if (kind === 'STRING') own.push(...texts(of));
  if (kind === 'BOOLEAN') own.push(...conditions(of));
  return fc.oneof(...own);
}

function arithmetic(kind: Kind, left: fc.Arbitrary<Node>, right: fc.Arbitrary<Node>) {
  const operators = Object.keys(ARITHMETIC) as (keyof typeof ARITHMETIC)[];
  return fc
    .tuple(fc.constantFrom(...operators), left, right)
    .map(([op, a, b]) => node(kind, `(${a.sql} ${op} ${b.sql})`, both(a, b, ARITHMETIC[op])));
}

const lengths = (texts_: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
  texts_.map((a) =>
    node('INT', `LEN(${a.sql})`, (row) => {
      const text = a.run(row);
      return text === null ? null : (text as string).length;
    }),
  );

function cases(kind: Kind, of: (kind: Kind) => fc.Arbitrary<Node>): fc.Arbitrary<Node> {
  return fc.tuple(of('BOOLEAN'), of(kind), fc.option(of(kind))).map(([when, then, otherwise]) => {
    const tail = otherwise === null ? '' : ` ELSE ${otherwise.sql}`;
    return node(kind, `(CASE WHEN ${when.sql} THEN ${then.sql}${tail} END)`, (row) =>
      when.run(row) === true ? then.run(row) : (otherwise?.run(row) ?? null),
    );
  });
}

/** Arguments of a function are all computed. */
function coalesced(kind: Kind, of: (kind: Kind) => fc.Arbitrary<Node>): fc.Arbitrary<Node> {
  return fc.tuple(of(kind), of(kind)).map(([a, b]) =>
    node(kind, `COALESCE(${a.sql}, ${b.sql})`, (row) => {
      const [x, y] = [a.run(row), b.run(row)];
      return x ?? y;
    }),
  );
}

function texts(of: (kind: Kind) => fc.Arbitrary<Node>): fc.Arbitrary<Node>[] {
  return [
    fc.tuple(of('STRING'), of('STRING')).map(([a, b]) =>
      node('STRING', `(${a.sql} + ${b.sql})`, (row) => {
        const [x, y] = [a.run(row), b.run(row)];
        return x === null || y === null ? null : `${x}${y}`;
      }),
    ),
    of('STRING').map((a) =>
      node(
        'STRING',
        `UCASE(${a.sql})`,
        (row) => (a.run(row) as string | null)?.toUpperCase() ?? null,
      ),
    ),
    of('INT').map((a) =>
      node('STRING', `CAST(${a.sql} AS STRING)`, (row) => {
        const value = a.run(row);
        return value === null ? null : `${value}`;
      }),
    ),
  ];
}

function conditions(of: (kind: Kind) => fc.Arbitrary<Node>): fc.Arbitrary<Node>[] {
  const compare = (kind: Kind): fc.Arbitrary<Node> =>
    fc
      .tuple(comparisonOperators, of(kind), of(kind))
      .map(([op, a, b]) =>
        node('BOOLEAN', `(${a.sql} ${op} ${b.sql})`, (row) => compared(op, a.run(row), b.run(row))),
      );
  const logic = (op: 'AND' | 'OR'): fc.Arbitrary<Node> =>
    fc.tuple(of('BOOLEAN'), of('BOOLEAN')).map(([a, b]) =>
      node('BOOLEAN', `(${a.sql} ${op} ${b.sql})`, (row) => {
        const decides = op === 'OR';
        const x = a.run(row);
        if (x === decides) return decides;
        const y = b.run(row);
        if (y === decides) return decides;
        return x === null || y === null ? null : !decides;
      }),
    );
  return [
    compare('INT'),
    compare('BIGINT'),
    compare('STRING'),
    logic('AND'),
    logic('OR'),
    of('BOOLEAN').map((a) =>
      node('BOOLEAN', `(NOT ${a.sql})`, (row) => {
        const value = a.run(row);
        return value === null ? null : value !== true;
      }),
    ),
    fc
      .tuple(fc.constantFrom<Kind>('INT', 'STRING', 'BOOLEAN').chain(of), fc.boolean())
      .map(([a, isNot]) =>
        node(
          'BOOLEAN',
          `(${a.sql} IS ${isNot ? 'NOT ' : ''}NULL)`,
          (row) => (a.run(row) === null) !== isNot,
        ),
      ),
    fc
      .tuple(
        of('INT'),
        fc.boolean(),
        fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }),
      )
      .map(([a, isNot, list]) =>
        node('BOOLEAN', `(${a.sql} ${isNot ? 'NOT ' : ''}IN (${list.join(', ')}))`, (row) => {
          const value = a.run(row);
          return (value !== null && list.includes(value as number)) !== isNot;
        }),
      ),
    fc.tuple(of('STRING'), fc.constantFrom('a%', '%B', '%a%', '_')).map(([a, pattern]) =>
      node('BOOLEAN', `(${a.sql} LIKE '${pattern}')`, (row) => {
        const value = a.run(row);
        const source = pattern.replaceAll('%', '.*').replaceAll('_', '.');
        return value !== null && new RegExp(`^${source}$`, 's').test(value as string);
      }),
    ),
  ];
}
