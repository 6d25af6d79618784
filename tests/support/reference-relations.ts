// Sources that are joined, two or three at a time, beside the rows that a plain reading of all records gives; knows no engine.

import fc from 'fast-check';
import {
  type Columns,
  expressions,
  type Kind,
  type Node,
  type Scalar,
} from './reference-expressions.ts';
import { column, groupings } from './reference-groupings.ts';
import {
  type Change,
  type Fold,
  foreignKey,
  type JoinType,
  streamStream,
  streamTable,
  tableTable,
  type Within,
} from './reference-joins.ts';
import { projections } from './reference-queries.ts';
import {
  type From,
  type Given,
  nullable,
  type Query,
  small,
  text,
  valueOf,
} from './reference-rows.ts';
import { regroupings, selections } from './reference-tables.ts';

type Topic = Given['topic'];

/** Columns of the value, by topic; no two sources have one of the same name. */
const COLUMNS: Readonly<Record<Topic, Readonly<Record<string, Kind>>>> = {
  s: { i: 'INT', j: 'INT', l: 'BIGINT', t: 'STRING', b: 'BOOLEAN' },
  z: { m: 'INT', v: 'STRING' },
  e: { c: 'INT', d: 'STRING' },
  p: { w: 'INT', u: 'STRING' },
  q: { x: 'INT', y: 'STRING' },
  o: { n: 'INT', r: 'STRING' },
};
const TOPICS = Object.keys(COLUMNS) as Topic[];
const isTopicOfTable = (topic: Topic): boolean => !['s', 'z', 'e'].includes(topic);

/** Of all sources alike. */
type KeyKind = 'INT' | 'STRING';

const joinedSources = (kind: KeyKind): readonly string[] =>
  TOPICS.map((topic) => {
    const [type, role] = isTopicOfTable(topic) ? ['TABLE', 'PRIMARY KEY'] : ['STREAM', 'KEY'];
    const columns = Object.entries(COLUMNS[topic]).map(([name, own]) => `${name} ${own}`);
    return `CREATE ${type} ${topic} (k ${kind} ${role}, ${columns.join(', ')}) WITH (KAFKA_TOPIC='${topic}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  });

/** Texts also what UCASE and + make of each other; numbers in the order of their texts. */
const KEYS = {
  INT: fc.integer({ min: 0, max: 3 }),
  STRING: fc.constantFrom('x', 'y', 'X', 'xy'),
} as const;

const VALUES: Readonly<Record<Kind, fc.Arbitrary<Scalar>>> = {
  INT: fc.oneof(KEYS.INT, small),
  BIGINT: small,
  STRING: fc.oneof(KEYS.STRING, text),
  BOOLEAN: fc.boolean(),
};

/** Records of some topics, whose times go forward for the most part. */
function records(topics: readonly Topic[], kind: KeyKind): fc.Arbitrary<readonly Given[]> {
  const one = fc.constantFrom(...topics).chain((topic) =>
    fc.record({
      topic: fc.constant(topic),
      key: fc.option<Scalar>(KEYS[kind], { freq: 12 }),
      value: fc.option(
        fc.record(
          Object.fromEntries(
            Object.entries(COLUMNS[topic]).map(([name, own]) => [name, nullable(VALUES[own])]),
          ),
        ),
        { freq: isTopicOfTable(topic) ? 4 : 12 },
      ),
    }),
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }) },
    fc.integer({ min: -25, max: 15 }),
  );
  return fc
    .array(fc.tuple(one, step), { minLength: 1, maxLength: 40, size: 'max' })
    .map((steps) => {
      let ms = 20;
      return steps.map(([record, by]) => {
        ms = Math.max(0, ms + by);
        return { ...record, timestamp: ms };
      });
    });
}

/**
 * The records as a query takes them that finds all of them: of each topic in their order, the earliest of those that are next; what makes no row goes
 * first. Where two are next at one time, one is a ms later.
 */
export function merged(given: readonly Given[]): readonly Given[] {
  const queues = TOPICS.map((topic) => given.filter((record) => record.topic === topic));
  const timeOf = ({ topic, key, timestamp }: Given): number =>
    isTopicOfTable(topic) && key === null ? -Infinity : timestamp;
  return given.map(() => {
    const [first, ...others] = queues
      .filter(({ length }) => length > 0)
      .sort(([a], [b]) => timeOf(a as Given) - timeOf(b as Given));
    const next = first?.shift() as Given;
    for (const queue of others) {
      const [head] = queue as [Given];
      if (head.timestamp === next.timestamp) queue[0] = { ...head, timestamp: head.timestamp + 1 };
    }
    return next;
  });
}

/** A source, or what joins make of several. */
interface Relation {
  readonly sql: string;
  readonly topics: readonly Topic[];
  readonly isTable: boolean;
  /** What its SELECT names as the key. */
  readonly key: string;
  /** Columns that equal the key where their source has a row; the SELECT names one of them. */
  readonly equal: readonly string[];
  /** Key columns of its sources. */
  readonly keys: readonly string[];
  readonly open: () => (given: Given) => readonly Change[];
}

function source(topic: Topic): Relation {
  const isTable = isTopicOfTable(topic);
  const key = `${topic}.k`;
  const open = () => (given: Given) => {
    const { key: own, value, timestamp: ms } = given;
    // A table has no row without a key.
    if (given.topic !== topic || (isTable && own === null)) return [];
    return [{ key: own, fields: value === null ? null : { ...value, [key]: own }, ms }];
  };
  return { sql: topic, topics: [topic], isTable, key, equal: [key], keys: [key], open };
}

const [S, Z, E, P, Q, O] = TOPICS.map(source) as [
  Relation,
  Relation,
  Relation,
  Relation,
  Relation,
  Relation,
];

interface Join {
  readonly type: JoinType;
  /** One of each side. */
  readonly on: readonly [left: Node, right: Node];
  readonly within?: string;
  readonly fold: () => Fold;
}

/** Rows of the relation by another key, where it is another. */
function rekeyed({ open, equal }: Relation, by: Node): Relation['open'] {
  if (equal.includes(by.sql)) return open;
  return () => {
    const rows = open();
    return (given) =>
      rows(given).map((change) => ({
        ...change,
        key: change.fields && valueOf(by, change.fields),
      }));
  };
}

/** A join; of equal columns each may be the key of the result, but of a FULL join neither. */
function join(left: Relation, right: Relation, of: Join): fc.Arbitrary<Relation> {
  const { type, on, within = '', fold } = of;
  const [ofLeft, ofRight] = on;
  const isByForeignKey = left.isTable && !left.equal.includes(ofLeft.sql);
  const more = left.equal.includes(ofLeft.sql) ? left.equal : [];
  const both = [...new Set([ofLeft.sql, ofRight.sql, ...more])];
  const equal = isByForeignKey ? left.equal : type === 'FULL' ? [] : both;
  return fc.constantFrom(...(equal.length === 0 ? ['ROWKEY'] : equal)).map((key) => ({
    sql: `${left.sql} ${type === 'INNER' ? '' : `${type} `}JOIN ${right.sql}${within} ON ${ofLeft.sql} = ${ofRight.sql}`,
    topics: [...left.topics, ...right.topics],
    isTable: left.isTable,
    key,
    equal,
    keys: [...left.keys, ...right.keys],
    open() {
      const lefts = (isByForeignKey ? left.open : rekeyed(left, ofLeft))();
      const rights = rekeyed(right, ofRight)();
      const take = fold();
      return (given) => [
        ...lefts(given).flatMap((change) => take(0, change)),
        ...rights(given).flatMap((change) => take(1, change)),
      ];
    },
  }));
}

/** What rows of a stream may meet by: mostly key columns, of which one is the more likely that is the key already. */
function meetings({ equal, keys, topics }: Relation, kind: KeyKind): fc.Arbitrary<Node> {
  const others = columnsOf(topics, kind).of[kind];
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.constantFrom(...equal, ...equal, ...keys) },
      fc.constantFrom(...others),
    )
    .map(column);
}

const anyType = fc.constantFrom<JoinType>('INNER', 'LEFT', 'RIGHT', 'FULL');
const innerOrLeft = fc.constantFrom<JoinType>('INNER', 'LEFT');

const withins: fc.Arbitrary<Within> = fc.record({
  beforeMs: fc.constantFrom(0, 3, 10),
  afterMs: fc.constantFrom(0, 5, 20),
  graceMs: fc.constantFrom(0, 4, 30, null),
});

function ofStreams(left: Relation, right: Relation, kind: KeyKind): fc.Arbitrary<Relation> {
  return fc
    .record({
      type: anyType,
      within: withins,
      on: fc.tuple(meetings(left, kind), meetings(right, kind)),
    })
    .chain(({ type, within, on }) => {
      const { beforeMs, afterMs, graceMs } = within;
      const grace = graceMs === null ? '' : ` GRACE PERIOD ${graceMs} MILLISECONDS`;
      return join(left, right, {
        type,
        on,
        within: ` WITHIN (${beforeMs} MILLISECONDS, ${afterMs} MILLISECONDS)${grace}`,
        fold: () => streamStream(type, within),
      });
    });
}

function withTable(left: Relation, right: Relation, kind: KeyKind): fc.Arbitrary<Relation> {
  return fc
    .tuple(innerOrLeft, meetings(left, kind))
    .chain(([type, by]) =>
      join(left, right, { type, on: [by, column(right.key)], fold: () => streamTable(type) }),
    );
}

function ofTables(left: Relation, right: Relation): fc.Arbitrary<Relation> {
  return fc.tuple(anyType, fc.constantFrom(...left.equal)).chain(([type, key]) =>
    join(left, right, {
      type,
      on: [column(key), column(right.key)],
      fold: () => tableTable(type),
    }),
  );
}

/** By a column of the left source or an expression of it. */
function byForeignKey(left: Relation, right: Relation, kind: KeyKind): fc.Arbitrary<Relation> {
  const columns = columnsOf(left.topics, kind);
  const names = columns.of[kind];
  const refer = fc
    .oneof(fc.constantFrom(...names).map(column), expressions(kind, columns, 1))
    .filter(({ sql }) => names.some((name) => sql.includes(name)));
  return fc.tuple(innerOrLeft, refer).chain(([type, by]) =>
    join(left, right, {
      type,
      on: [by, column(right.key)],
      fold: () => foreignKey(type, (fields) => valueOf(by, fields)),
    }),
  );
}

const made = new Map<string, Columns>();

/** Columns of the values of some topics, with some key columns; the same object each time. */
function columnsOf(
  topics: readonly Topic[],
  keyKind: KeyKind,
  keyColumns: readonly string[] = [],
): Columns {
  const name = JSON.stringify([topics, keyKind, keyColumns]);
  const all = topics.flatMap((topic) => Object.entries(COLUMNS[topic]));
  const of = (kind: Kind) => [
    ...(kind === keyKind ? keyColumns : []),
    ...all.filter(([, own]) => own === kind).map(([own]) => own),
  ];
  const columns = made.get(name) ?? {
    of: {
      INT: of('INT'),
      BIGINT: of('BIGINT'),
      STRING: of('STRING'),
      BOOLEAN: of('BOOLEAN'),
    },
  };
  made.set(name, columns);
  return columns;
}

function fromOf({ sql, key, equal, keys, topics, open }: Relation, kind: KeyKind): From {
  return {
    sql,
    key,
    equal,
    columns: columnsOf(topics, kind, key === 'ROWKEY' ? [key, ...keys] : keys),
    rows(given) {
      const push = open();
      return given.flatMap(push).map(({ key: own, fields, ms }, at) => ({
        key: own,
        fields: { ...fields, ROWKEY: own },
        ms,
        at,
        isEmpty: fields === null,
      }));
    },
  };
}

function relations(kind: KeyKind): fc.Arbitrary<Relation> {
  const twoStreams = ofStreams(S, Z, kind);
  const twoTables = ofTables(P, Q);
  return fc.oneof(
    { weight: 3, arbitrary: twoStreams },
    { weight: 2, arbitrary: withTable(S, P, kind) },
    { weight: 2, arbitrary: twoTables },
    { weight: 3, arbitrary: byForeignKey(P, Q, kind) },
    // Three inputs.
    twoStreams.chain((left) => ofStreams(left, E, kind)),
    twoStreams.chain((left) => withTable(left, P, kind)),
    withTable(S, P, kind).chain((left) => withTable(left, Q, kind)),
    twoTables.filter(({ equal }) => equal.length > 0).chain((left) => ofTables(left, O)),
    byForeignKey(P, Q, kind).chain((left) => ofTables(left, O)),
  );
}

/** A join with what may stand behind it, and records for it. */
export interface JoinQuery {
  readonly sources: readonly string[];
  readonly query: Query;
  readonly given: readonly Given[];
}

const joinQueriesBy = (kind: KeyKind): fc.Arbitrary<JoinQuery> =>
  relations(kind).chain((relation) => {
    const from = fromOf(relation, kind);
    const query = relation.isTable
      ? fc.oneof(selections(from), regroupings(from))
      : fc.oneof(projections(from), groupings(from));
    return fc.record({
      sources: fc.constant(joinedSources(kind)),
      query,
      given: records(relation.topics, kind),
    });
  });

export const joinQueries = fc.oneof(joinQueriesBy('STRING'), joinQueriesBy('INT'));
