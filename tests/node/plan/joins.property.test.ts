// Random joins become plans that hold together, or are refused.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyzeStatement } from '../../../runtime/analyze/analyze.ts';
import { StatementError } from '../../../runtime/base/errors.ts';
import { explain } from '../../../runtime/plan/explain.ts';
import { planQuery } from '../../../runtime/plan/planner.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { planProblems } from './check-plan.ts';
import { NEVER, SELF, SOURCES, stream, table } from './join-sources.ts';
import { Session } from './session.ts';

/** Columns of INTEGER of each source, its key first. */
const STREAMS = {
  clicks: ['id', 'page'],
  views: ['id', 'page'],
  again: ['id', 'page'],
  wide: ['id', 'page'],
  timed: ['id'],
};
const TABLES = { pages: ['id', 'site'], stats: ['id'], sites: ['sid'], twins: ['id', 'twin'] };
const COLUMNS: Readonly<Record<string, readonly string[]>> = { ...STREAMS, ...TABLES };
const streams = fc.constantFrom(...Object.keys(STREAMS));
const tables = fc.constantFrom(...Object.keys(TABLES));
const source = fc.oneof(streams, tables);

interface Side {
  readonly name: string;
  readonly pick: number;
  readonly isExpression: boolean;
}

const side = fc.record<Side>({
  name: source,
  pick: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 3 })),
  isExpression: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
});

function sideText({ name, pick, isExpression }: Side, alias: string): string {
  const columns = [...(COLUMNS[name] ?? []), 'ROWPARTITION'];
  const column = `${alias}.${columns[pick % columns.length]}`;
  return isExpression ? `${column} + 1` : column;
}

interface JoinText {
  readonly type: string;
  readonly right: Side;
  readonly left: Side;
  readonly at: number;
  readonly isFlipped: boolean;
  readonly isOdd: boolean;
}

const joins = fc.array(
  fc.record<JoinText>({
    type: fc.constantFrom('JOIN', 'LEFT JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'),
    right: side,
    left: side,
    at: fc.nat({ max: 5 }),
    isFlipped: fc.boolean(),
    isOdd: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { minLength: 1, maxLength: 3 },
);

/** FROM with joins that mostly are of a kind that there is. */
function fromText(first: string, of: readonly JoinText[]): string {
  const names = [first];
  let text = `${first} t0`;
  for (const { type, right, left, at, isFlipped, isOdd } of of) {
    const before = at % names.length;
    const number = names.length;
    const isStream = right.name in STREAMS;
    const within = isStream !== isOdd ? ' WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 1 DAY' : '';
    const sides = [
      sideText({ ...left, name: names[before] ?? first }, `t${before}`),
      sideText(right, `t${number}`),
    ];
    if (isFlipped) sides.reverse();
    text += ` ${type} ${right.name} t${number}${within} ON ${sides.join(' = ')}`;
    names.push(right.name);
  }
  return text;
}

const from = fc
  .oneof(
    { weight: 2, arbitrary: fc.tuple(streams, joins) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        tables,
        joins.map((all) =>
          all.map((one) => ({
            ...one,
            right: { ...one.right, name: one.at > 2 ? 'pages' : 'twins' },
          })),
        ),
      ),
    },
  )
  .map(([first, all]) => fromText(first, all));
const selected = fc.oneof(
  { weight: 4, arbitrary: fc.constant('*') },
  fc.constantFrom(
    't0.*',
    't1.*',
    't0.id, t1.id, t1.ROWTIME',
    't1.id AS k, t0.ROWOFFSET, t0.id',
    'ROWKEY, t0.id',
    't0.id, COUNT(*)',
  ),
);
const rest = fc.constantFrom(
  '',
  ' WHERE t0.id > 3',
  ' WHERE t1.ROWTIME > t0.ROWTIME',
  ' GROUP BY t0.id',
  ' GROUP BY t1.id, t0.id HAVING COUNT(*) > 1',
  ' PARTITION BY t1.id',
  ' PARTITION BY t0.ROWTIME',
);
const joined = fc
  .tuple(
    selected,
    from,
    rest,
    fc.constantFrom(stream, table, (query: string) => `SELECT ${query} EMIT CHANGES;`),
  )
  .map(([items, sources, clauses, of]) => of(`${items} FROM ${sources}${clauses}`));

test('a join becomes a sound plan, or is refused; nothing else is thrown', () => {
  const sessions = [new Session(SELF), new Session({ ...SELF, ...NEVER })];
  for (const session of sessions) session.run(SOURCES);
  let plans = 0;
  fc.assert(
    fc.property(joined, fc.nat({ max: 1 }), (sql, at) => {
      const session = sessions[at];
      const [statement] = parse(sql);
      if (statement === undefined || session === undefined) throw new Error('no statement');
      try {
        const analysis = analyzeStatement(statement, session.options);
        if (analysis.kind !== 'query') return;
        const fuse = at === 0 ? 'auto' : 'never';
        const plan = planQuery(analysis, { path: 'auto', fuse, kernelAvailable: true });
        expect(planProblems(plan)).toEqual([]);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
        expect(explain(plan)).toContain(plan.query);
        plans += 1;
      } catch (thrown) {
        if (!(thrown instanceof StatementError)) throw thrown;
      }
    }),
    { numRuns: 3_000, seed: 20_261_125 },
  );
  expect(plans).toBeGreaterThan(200);
});
