// Sources that are joined, two or three at a time, beside the rows that a plain reading of all records gives; knows no engine.

import fc from 'fast-check';
import {
  type Columns,
  expressions,
  type Fields,
  type Kind,
  type Node,
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
  p: { w: 'INT', u: 'STRING' },
  q: { x: 'INT', y: 'STRING' },
  o: { n: 'INT', r: 'STRING' },
};
const TOPICS = Object.keys(COLUMNS) as Topic[];
const isTopicOfTable = (topic: Topic): boolean => topic !== 's' && topic !== 'z';

export const JOINED_SOURCES = TOPICS.map((topic) => {
  const [kind, role] = isTopicOfTable(topic) ? ['TABLE', 'PRIMARY KEY'] : ['STREAM', 'KEY'];
  const columns = Object.entries(COLUMNS[topic]).map(([name, type]) => `${name} ${type}`);
  return `CREATE ${kind} ${topic} (k STRING ${role}, ${columns.join(', ')}) WITH (KAFKA_TOPIC='${topic}', PARTITIONS=1, VALUE_FORMAT='JSON');`;
});

/** Also what UCASE and + make of each other. */
const keys = fc.constantFrom('x', 'y', 'X', 'xy');
const VALUES: Readonly<Record<Kind, fc.Arbitrary<Fields[string]>>> = {
  INT: small,
  BIGINT: small,
  STRING: fc.oneof(keys, text),
  BOOLEAN: fc.boolean(),
};

/** Records of some topics, whose times go forward for the most part. */
function records(topics: readonly Topic[]): fc.Arbitrary<readonly Given[]> {
  const one = fc.constantFrom(...topics).chain((topic) =>
    fc.record({
      topic: fc.constant(topic),
      key: fc.option(keys, { freq: 12 }),
      value: fc.option(
        fc.record(
          Object.fromEntries(
            Object.entries(COLUMNS[topic]).map(([name, kind]) => [name, nullable(VALUES[kind])]),
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

/** A source, or what joins make of several. */
interface Relation {
  readonly sql: string;
  readonly topics: readonly Topic[];
  readonly isTable: boolean;
  /** What its SELECT names as the key. */
  readonly key: string;
  /** Key columns that no row is without. */
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
  return { sql: topic, topics: [topic], isTable, key, keys: [key], open };
}

const [S, Z, P, Q, O] = TOPICS.map(source) as [Relation, Relation, Relation, Relation, Relation];

interface Join {
  readonly type: JoinType;
  readonly on: string;
  /** Of the result. */
  readonly key: string;
  readonly within?: string;
  readonly fold: () => Fold;
  /** The new keys of rows that do not meet by their own. */
  readonly by?: readonly [left: Node | null, right: Node | null];
}

function join(left: Relation, right: Relation, of: Join): Relation {
  const { type, on, key, within = '', fold, by = [null, null] } = of;
  const rekeyed = (change: Change, as: Node | null): Change =>
    as === null
      ? change
      : { ...change, key: change.fields && (valueOf(as, change.fields) as string | null) };
  return {
    sql: `${left.sql} ${type === 'INNER' ? '' : `${type} `}JOIN ${right.sql}${within} ON ${on}`,
    topics: [...left.topics, ...right.topics],
    isTable: left.isTable,
    key,
    keys: [
      ...(type === 'INNER' || type === 'LEFT' ? left.keys : []),
      ...(type === 'INNER' || type === 'RIGHT' ? right.keys : []),
    ],
    open() {
      const [ofLeft, ofRight, take] = [left.open(), right.open(), fold()];
      return (given) => [
        ...ofLeft(given).flatMap((change) => take(0, rekeyed(change, by[0]))),
        ...ofRight(given).flatMap((change) => take(1, rekeyed(change, by[1]))),
      ];
    },
  };
}

const anyType = fc.constantFrom<JoinType>('INNER', 'LEFT', 'RIGHT', 'FULL');
const innerOrLeft = fc.constantFrom<JoinType>('INNER', 'LEFT');

const withins: fc.Arbitrary<Within> = fc.record({
  beforeMs: fc.constantFrom(0, 3, 10),
  afterMs: fc.constantFrom(0, 5, 20),
  graceMs: fc.constantFrom(0, 4, 30, null),
});

/** Of streams by their keys, or by a column of one of them. */
function ofStreams(left: Relation, right: Relation): fc.Arbitrary<Relation> {
  return fc
    .tuple(anyType, withins, fc.constantFrom('k', 'k', 'left', 'right'))
    .map(([type, within, by]) => {
      const { beforeMs, afterMs, graceMs } = within;
      const grace = graceMs === null ? '' : ` GRACE PERIOD ${graceMs} MILLISECONDS`;
      const leftBy = by === 'left' ? column('t') : null;
      const rightBy = by === 'right' ? column('v') : null;
      const leftKey = leftBy === null ? left.key : 't';
      const rightKey = rightBy === null ? right.key : 'v';
      return join(left, right, {
        type,
        on: `${leftKey} = ${rightKey}`,
        key: type === 'FULL' ? 'ROWKEY' : type === 'RIGHT' ? rightKey : leftKey,
        within: ` WITHIN (${beforeMs} MILLISECONDS, ${afterMs} MILLISECONDS)${grace}`,
        fold: () => streamStream(type, within),
        by: [leftBy, rightBy],
      });
    });
}

/** @param isByKey false: by a column of the stream as well */
function withTable(left: Relation, right: Relation, isByKey: boolean): fc.Arbitrary<Relation> {
  return fc
    .tuple(innerOrLeft, isByKey ? fc.constant(false) : fc.boolean())
    .map(([type, isMoved]) => {
      const key = isMoved ? 't' : left.key;
      return join(left, right, {
        type,
        on: `${key} = ${right.key}`,
        key,
        fold: () => streamTable(type),
        by: [isMoved ? column('t') : null, null],
      });
    });
}

function ofTables(
  left: Relation,
  right: Relation,
  types: fc.Arbitrary<JoinType> = anyType,
): fc.Arbitrary<Relation> {
  return types.map((type) =>
    join(left, right, {
      type,
      on: `${left.key} = ${right.key}`,
      key: type === 'FULL' ? 'ROWKEY' : type === 'RIGHT' ? right.key : left.key,
      fold: () => tableTable(type),
    }),
  );
}

/** By a column of the left side or an expression of one source of it. */
function byForeignKey(left: Relation, right: Relation, topic: Topic): fc.Arbitrary<Relation> {
  const refer = fc
    .oneof(
      fc.constantFrom(...columnsOf([topic]).of.STRING).map(column),
      expressions('STRING', columnsOf([topic]), 1),
    )
    .filter(({ sql }) => columnsOf([topic]).of.STRING.some((name) => sql.includes(name)));
  return fc.tuple(innerOrLeft, refer).map(([type, by]) =>
    join(left, right, {
      type,
      on: `${by.sql} = ${right.key}`,
      key: left.key,
      fold: () => foreignKey(type, (fields) => valueOf(by, fields) as string | null),
    }),
  );
}

const made = new Map<string, Columns>();

/** Columns of the values of some topics, with some key columns; the same object each time. */
function columnsOf(topics: readonly Topic[], keyColumns: readonly string[] = []): Columns {
  const name = JSON.stringify([topics, keyColumns]);
  const all = topics.flatMap((topic) => Object.entries(COLUMNS[topic]));
  const of = (kind: Kind) => all.filter(([, own]) => own === kind).map(([own]) => own);
  const columns = made.get(name) ?? {
    of: {
      INT: of('INT'),
      BIGINT: of('BIGINT'),
      STRING: [...keyColumns, ...of('STRING')],
      BOOLEAN: of('BOOLEAN'),
    },
  };
  made.set(name, columns);
  return columns;
}

function fromOf({ sql, key, keys: present, topics, open }: Relation): From {
  return {
    sql,
    key,
    columns: columnsOf(topics, [...new Set([key, ...present])]),
    rows(given) {
      const push = open();
      return given.flatMap(push).map(({ key: own, fields, ms }, at) => ({
        key: own,
        fields: { ...fields, [key]: own },
        ms,
        at,
        isEmpty: fields === null,
      }));
    },
  };
}

const relations: fc.Arbitrary<Relation> = fc.oneof(
  { weight: 3, arbitrary: ofStreams(S, Z) },
  withTable(S, P, false),
  { weight: 2, arbitrary: ofTables(P, Q) },
  { weight: 3, arbitrary: byForeignKey(P, Q, 'p') },
  // Three inputs.
  ofStreams(S, Z)
    .filter(({ key }) => key !== 'ROWKEY')
    .chain((left) => withTable(left, P, true)),
  withTable(S, P, true).chain((left) => withTable(left, Q, false)),
  ofTables(P, Q, innerOrLeft).chain((left) => ofTables(left, O)),
  byForeignKey(P, Q, 'p').chain((left) => ofTables(left, O)),
);

/** Joins with what may stand behind them, and records for them. */
export const joinQueries: fc.Arbitrary<{ query: Query; given: readonly Given[] }> = relations.chain(
  (relation) => {
    const from = fromOf(relation);
    const query = relation.isTable
      ? fc.oneof(selections(from), regroupings(from))
      : fc.oneof(projections(from), groupings(from));
    return fc.record({ query, given: records(relation.topics) });
  },
);
