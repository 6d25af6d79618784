// Reads the statements that look at or steer what runs: SHOW, DESCRIBE, PRINT, SET, TERMINATE, ASSERT and their kin; it checks their form only.

import type {
  AssertSchema,
  AssertSource,
  AssertTombstone,
  AssertTopic,
  AssertValues,
  DefineVariable,
  Describe,
  DescribeConnector,
  DescribeFunction,
  DescribeStreams,
  Duration,
  Name,
  Pause,
  Print,
  Resume,
  RunScript,
  SetProperty,
  Show,
  ShowTarget,
  Terminate,
  UndefineVariable,
  UnsetProperty,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { acceptColumns, acceptProperties, parseLiteral } from './definition.ts';
import { acceptNames, parseValues } from './insert.ts';
import { expectSourceType, sourceName } from './definition-statements.ts';
import { parseDuration } from './window.ts';

type Body<S> = Omit<S, 'text'>;

// What SHOW lists, and whether EXTENDED may follow.
const SHOW_TARGETS: ReadonlyMap<ShowTarget, boolean> = new Map([
  ['STREAMS', true],
  ['TABLES', true],
  ['TOPICS', true],
  ['QUERIES', true],
  ['FUNCTIONS', false],
  ['TYPES', false],
  ['VARIABLES', false],
  ['PROPERTIES', false],
  ['CONNECTORS', false],
]);

/** SHOW or LIST. */
export function parseShow(cursor: Cursor): Body<Show> {
  const { at } = cursor.advance();
  const plain = { kind: 'Show', all: false, extended: false, connectorType: null, at } as const;
  if (cursor.accept('ALL')) {
    cursor.expect('TOPICS');
    return { ...plain, target: 'TOPICS', all: true, extended: cursor.accept('EXTENDED') };
  }
  for (const connectorType of ['SOURCE', 'SINK'] as const) {
    if (!cursor.acceptPhrase(connectorType, 'CONNECTORS')) continue;
    return { ...plain, target: 'CONNECTORS', connectorType };
  }
  if (cursor.acceptPhrase('CONNECTOR', 'PLUGINS')) return { ...plain, target: 'CONNECTOR PLUGINS' };
  for (const [target, extensible] of SHOW_TARGETS) {
    if (!cursor.accept(target)) continue;
    return { ...plain, target, extended: extensible && cursor.accept('EXTENDED') };
  }
  cursor.fail();
}

/** DESCRIBE. */
export function parseDescribe(
  cursor: Cursor,
): Body<Describe> | Body<DescribeStreams> | Body<DescribeFunction> | Body<DescribeConnector> {
  const { at } = cursor.advance();
  if (cursor.accept('CONNECTOR')) {
    return { kind: 'DescribeConnector', connector: cursor.name('a connector name'), at };
  }
  // FUNCTION alone is a source of that name.
  if (cursor.is('FUNCTION') && cursor.isName(cursor.peek(1))) {
    cursor.advance();
    return { kind: 'DescribeFunction', function: cursor.name('a function name'), at };
  }
  for (const [plural, sourceType] of [
    ['STREAMS', 'STREAM'],
    ['TABLES', 'TABLE'],
  ] as const) {
    if (!cursor.accept(plural)) continue;
    return { kind: 'DescribeStreams', sourceType, extended: cursor.accept('EXTENDED'), at };
  }
  const source = sourceName(cursor);
  return { kind: 'Describe', source, extended: cursor.accept('EXTENDED'), at };
}

/** PRINT. */
export function parsePrint(cursor: Cursor): Body<Print> {
  const { at } = cursor.advance();
  const topic = takeResource(cursor, 'a topic');
  const fromBeginning = cursor.acceptPhrase('FROM', 'BEGINNING');
  const everyNth = cursor.accept('INTERVAL') || cursor.accept('SAMPLE');
  const interval = everyNth ? cursor.wholeNumber('a number of records') : null;
  const limit = cursor.accept('LIMIT') ? cursor.wholeNumber('a number of records') : null;
  return { kind: 'Print', topic, fromBeginning, interval, limit, at };
}

/** SET, UNSET, DEFINE and UNDEFINE. */
export function parseSession(
  cursor: Cursor,
): Body<SetProperty> | Body<UnsetProperty> | Body<DefineVariable> | Body<UndefineVariable> {
  const { key, at } = cursor.advance();
  switch (key) {
    case 'SET': {
      const property = cursor.string('a property in quotes');
      cursor.expect('=');
      return { kind: 'Set', property, value: cursor.string('a value in quotes'), at };
    }
    case 'UNSET':
      return { kind: 'Unset', property: cursor.string('a property in quotes'), at };
    case 'DEFINE': {
      const variable = variableName(cursor);
      cursor.expect('=');
      return { kind: 'Define', variable, value: cursor.string('a value in quotes'), at };
    }
    default:
      return { kind: 'Undefine', variable: variableName(cursor), at };
  }
}

/** TERMINATE, PAUSE and RESUME. */
export function parseQueryControl(cursor: Cursor): Body<Terminate> | Body<Pause> | Body<Resume> {
  const { key, at } = cursor.advance();
  const query = cursor.accept('ALL') ? null : cursor.name('a query id');
  if (key === 'PAUSE') return { kind: 'Pause', query, at };
  return { kind: key === 'RESUME' ? 'Resume' : 'Terminate', query, at };
}

/** RUN SCRIPT. */
export function parseRunScript(cursor: Cursor): Body<RunScript> {
  const { at } = cursor.advance();
  cursor.expect('SCRIPT');
  return { kind: 'RunScript', path: cursor.string('a path in quotes'), at };
}

/** ASSERT. */
export function parseAssert(
  cursor: Cursor,
):
  | Body<AssertValues>
  | Body<AssertTombstone>
  | Body<AssertSource>
  | Body<AssertTopic>
  | Body<AssertSchema> {
  const { at } = cursor.advance();
  if (cursor.accept('VALUES')) {
    const source = sourceName(cursor);
    const columns = acceptNames(cursor);
    cursor.expect('VALUES');
    return { kind: 'AssertValues', source, columns, values: parseValues(cursor), at };
  }
  if (cursor.acceptPhrase('NULL', 'VALUES')) {
    const source = sourceName(cursor);
    const columns = acceptNames(cursor);
    cursor.expect('KEY');
    return { kind: 'AssertTombstone', source, columns, values: parseValues(cursor), at };
  }
  const exists = !cursor.acceptPhrase('NOT', 'EXISTS');
  if (cursor.accept('TOPIC')) {
    const topic = takeResource(cursor, 'a topic');
    const properties = acceptProperties(cursor);
    return { kind: 'AssertTopic', exists, topic, properties, timeout: acceptTimeout(cursor), at };
  }
  if (cursor.accept('SCHEMA')) {
    const subject = cursor.accept('SUBJECT') ? takeResource(cursor, 'a subject') : null;
    const id = cursor.accept('ID') ? parseLiteral(cursor, 'an id') : null;
    return { kind: 'AssertSchema', exists, subject, id, timeout: acceptTimeout(cursor), at };
  }
  if (!exists) cursor.fail();
  const sourceType = expectSourceType(cursor);
  const name = sourceName(cursor);
  const columns = acceptColumns(cursor);
  return {
    kind: 'AssertSource',
    sourceType,
    name,
    columns,
    properties: acceptProperties(cursor),
    at,
  };
}

/** How long a statement may wait; null: as long as it does by itself. */
export function acceptTimeout(cursor: Cursor): Duration | null {
  return cursor.accept('TIMEOUT') ? parseDuration(cursor) : null;
}

/** Variables keep their spelling, which SHOW VARIABLES gives back. */
function variableName(cursor: Cursor): Name {
  const { token } = cursor;
  if (token.kind !== 'word') cursor.fail('a variable name');
  cursor.advance();
  return { text: token.text, at: token.at };
}

/** Takes a topic or subject, as text or as a name, whose case is kept either way. */
function takeResource(cursor: Cursor, what: string): Name {
  const { token } = cursor;
  if (token.kind !== 'string' && !cursor.isName(token)) cursor.fail(what, '', 'name');
  cursor.advance();
  return { text: token.text, at: token.at };
}
