// Makes random statements and queries of every kind, as syntax trees that the grammar can write; knows nothing of printing.

import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type {
  ColumnDefinition,
  Duration,
  Emit,
  Expression,
  Join,
  OrderItem,
  Property,
  Query,
  SelectItem,
  SourceReference,
  Statement,
  Window,
  Within,
} from '../../../runtime/sql/ast.ts';
import { expressions, literals, names, texts, types, units } from './expression-arbitraries.ts';

const at = { line: 1, column: 1 };
const places = fc.constant(at);
const flags = fc.boolean();
const counts = fc.nat(1000);
const sourceTypes = fc.constantFrom('STREAM', 'TABLE');
const connectorTypes = fc.constantFrom('SOURCE', 'SINK');
const maybe = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | null> =>
  fc.option(arbitrary, { nil: null });
const some = <T>(arbitrary: Arbitrary<T>): Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 1, maxLength: 3 });
const few = <T>(arbitrary: Arbitrary<T>): Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 3 });

const durations: Arbitrary<Duration> = fc.record({ amount: counts, unit: units, at: places });

const columns: Arbitrary<ColumnDefinition> = fc.record({
  name: names,
  type: types,
  constraint: maybe(
    fc.oneof(
      fc.constantFrom(
        { kind: 'Key' as const },
        { kind: 'PrimaryKey' as const },
        { kind: 'Headers' as const },
      ),
      texts.map((key) => ({ kind: 'Header' as const, key })),
    ),
  ),
  at: places,
});

const properties: Arbitrary<Property[]> = few(
  fc.record({ name: names, value: literals, at: places }),
);

const references: Arbitrary<SourceReference> = fc.record({
  name: names,
  alias: maybe(names),
  at: places,
});

const withins: Arbitrary<Within> = fc.record({
  before: durations,
  after: durations,
  grace: maybe(durations),
  at: places,
});

const joins: Arbitrary<Join> = fc.record({
  type: fc.constantFrom('INNER', 'LEFT', 'RIGHT', 'FULL'),
  right: references,
  within: maybe(withins),
  on: expressions,
  at: places,
});

const bounds = { retention: maybe(durations), grace: maybe(durations), at: places };

const windows: Arbitrary<Window> = fc.oneof(
  fc.record({ kind: fc.constant('Tumbling' as const), size: durations, ...bounds }),
  fc.record({
    kind: fc.constant('Hopping' as const),
    size: durations,
    advance: durations,
    ...bounds,
  }),
  fc.record({ kind: fc.constant('Session' as const), gap: durations, ...bounds }),
  fc.record({ kind: fc.constant('Sliding' as const), size: durations, ...bounds }),
);

const primaries = expressions.filter(({ kind }) =>
  ['Column', 'Field', 'Subscript', 'Call', 'Struct', 'Cast', 'SimpleCase', 'SearchedCase'].includes(
    kind,
  ),
);

/** Calls of table functions. */
const exploded: Arbitrary<Expression> = fc.record({
  kind: fc.constant('Call' as const),
  name: fc.constantFrom('EXPLODE', 'CUBE_EXPLODE').map((text) => ({ text, at })),
  arguments: fc.tuple(expressions),
  star: fc.constant(false),
  at: places,
});

const items: Arbitrary<SelectItem> = fc.oneof(
  fc.record({ kind: fc.constant('Star' as const), source: maybe(names), at: places }),
  fc.record({ kind: fc.constant('StructStar' as const), operand: primaries, at: places }),
  fc.record({
    kind: fc.constant('Item' as const),
    expression: fc.oneof({ weight: 4, arbitrary: expressions }, { weight: 1, arbitrary: exploded }),
    alias: maybe(names),
    at: places,
  }),
);

const orderItems: Arbitrary<OrderItem> = fc.record({
  expression: expressions,
  direction: fc.constantFrom('ASC', 'DESC'),
  at: places,
});

const emits: Arbitrary<Emit> = fc.oneof(
  fc.record({ mode: fc.constant('FINAL' as const), every: fc.constant(null), at: places }),
  fc.record({ mode: fc.constant('CHANGES' as const), every: maybe(durations), at: places }),
);

const queries: Arbitrary<Query> = fc.record({
  kind: fc.constant('Query' as const),
  items: some(items),
  from: references,
  joins: fc.array(joins, { maxLength: 2 }),
  window: maybe(windows),
  where: maybe(expressions),
  groupBy: maybe(few(expressions)),
  partitionBy: maybe(few(expressions)),
  having: maybe(expressions),
  orderBy: maybe(some(orderItems)),
  emit: maybe(emits),
  limit: maybe(counts),
  at: places,
});

type Of<K> = Extract<Statement, { readonly kind: K }>;

/** A statement of one kind, from arbitraries of its parts. */
function statement<K extends Statement['kind']>(
  kind: K,
  parts: { [N in Exclude<keyof Of<K>, 'kind' | 'at' | 'text'>]: Arbitrary<Of<K>[N]> },
): Arbitrary<Statement> {
  const record: Arbitrary<object> = fc.record<Record<string, unknown>>(parts);
  // The compiler cannot follow a union through its keys; `parts` above has every one of them.
  return record.map((made) => ({ ...made, kind, at, text: '' }) as unknown as Statement);
}

const variables = fc.constantFrom('format', 'Topic_1', '_x').map((text) => ({ text, at }));
const resources = fc.oneof(
  names,
  texts.map((text) => ({ text, at })),
);
const values: Arbitrary<Expression[]> = few(expressions);

const plainStatements: Arbitrary<Statement> = fc.oneof(
  statement('CreateSource', {
    sourceType: sourceTypes,
    orReplace: flags,
    readOnly: flags,
    ifNotExists: flags,
    name: names,
    columns: maybe(some(columns)),
    properties,
  }),
  statement('CreateAs', {
    sourceType: sourceTypes,
    orReplace: flags,
    ifNotExists: flags,
    name: names,
    properties,
    query: queries,
  }),
  statement('InsertSelect', { target: names, properties, query: queries }),
  statement('InsertValues', { target: names, columns: maybe(some(names)), values }),
  statement('AlterSource', {
    sourceType: sourceTypes,
    name: names,
    additions: some(fc.record({ name: names, type: types })),
  }),
  statement('SwapSources', {
    sourceType: sourceTypes,
    name: names,
    other: names,
    timeout: maybe(durations),
  }),
  statement('DropSource', {
    sourceType: sourceTypes,
    ifExists: flags,
    name: names,
    deleteTopic: flags,
  }),
  statement('CreateType', { ifNotExists: flags, name: names, type: types }),
  statement('DropType', { ifExists: flags, name: names }),
  statement('CreateConnector', {
    connectorType: connectorTypes,
    ifNotExists: flags,
    name: names,
    properties: some(fc.record({ name: names, value: literals, at: places })),
  }),
  statement('DropConnector', { ifExists: flags, name: names }),
  statement('Terminate', { query: maybe(names) }),
  statement('Pause', { query: maybe(names) }),
  statement('Resume', { query: maybe(names) }),
  statement('Set', { property: texts, value: texts }),
  statement('Unset', { property: texts }),
  statement('AlterSystem', { property: texts, value: texts }),
  statement('Define', { variable: variables, value: texts }),
  statement('Undefine', { variable: variables }),
  statement('Show', {
    target: fc.constantFrom('STREAMS', 'TABLES', 'TOPICS', 'QUERIES'),
    all: fc.constant(false),
    extended: flags,
    connectorType: fc.constant(null),
  }),
  statement('Show', {
    target: fc.constantFrom('FUNCTIONS', 'TYPES', 'VARIABLES', 'PROPERTIES', 'CONNECTOR PLUGINS'),
    all: fc.constant(false),
    extended: fc.constant(false),
    connectorType: fc.constant(null),
  }),
  statement('Show', {
    target: fc.constant('TOPICS' as const),
    all: fc.constant(true),
    extended: flags,
    connectorType: fc.constant(null),
  }),
  statement('Show', {
    target: fc.constant('CONNECTORS' as const),
    all: fc.constant(false),
    extended: fc.constant(false),
    connectorType: maybe(connectorTypes),
  }),
  statement('Describe', { source: names, extended: flags }),
  statement('DescribeStreams', { sourceType: sourceTypes, extended: flags }),
  statement('DescribeFunction', { function: names }),
  statement('DescribeConnector', { connector: names }),
  statement('Print', {
    topic: resources,
    fromBeginning: flags,
    interval: maybe(counts),
    limit: maybe(counts),
  }),
  statement('AssertValues', { source: names, columns: maybe(some(names)), values }),
  statement('AssertTombstone', { source: names, columns: maybe(some(names)), values }),
  statement('AssertSource', {
    sourceType: sourceTypes,
    name: names,
    columns: maybe(some(columns)),
    properties,
  }),
  statement('AssertTopic', {
    exists: flags,
    topic: resources,
    properties,
    timeout: maybe(durations),
  }),
  statement('AssertSchema', {
    exists: flags,
    subject: maybe(resources),
    id: maybe(literals),
    timeout: maybe(durations),
  }),
  statement('RunScript', { path: texts }),
  statement('Select', { query: queries }),
);

/** Every kind of statement. */
export const statements: Arbitrary<Statement> = fc.oneof(
  { weight: 12, arbitrary: plainStatements },
  {
    weight: 1,
    arbitrary: statement('Explain', {
      subject: fc.oneof(
        fc.record({ kind: fc.constant('ExplainQuery' as const), query: names }),
        fc.record({ kind: fc.constant('ExplainStatement' as const), statement: plainStatements }),
      ),
    }),
  },
);
