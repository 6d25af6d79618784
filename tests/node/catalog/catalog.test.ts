// Versions of the catalog, links between sources and queries, names that nearly fit.
import { expect, test } from 'vitest';
import { StatementError } from '../../../runtime/base/errors.ts';
import { QUERIES_MAX, SOURCES_MAX, TYPES_MAX } from '../../../runtime/base/limits.ts';
import { Catalog } from '../../../runtime/catalog/catalog.ts';
import {
  linksOf,
  withoutQuery,
  withoutSource,
  withoutType,
  withType,
} from '../../../runtime/catalog/rare-changes.ts';
import { nearestName } from '../../../runtime/catalog/nearest-name.ts';
import { BIGINT } from '../../../runtime/data/type.ts';
import { Session } from '../plan/session.ts';

const INPUT =
  "CREATE STREAM input (id INT KEY, v INT) WITH (KAFKA_TOPIC='input', VALUE_FORMAT='JSON');";
const COPY = 'CREATE STREAM copy AS SELECT * FROM input;';
const TOTALS = 'CREATE TABLE totals AS SELECT id, COUNT(*) AS n FROM copy GROUP BY id;';

function refused(run: () => unknown): StatementError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof StatementError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

test('a change leaves the version before it as it was', () => {
  const session = new Session();
  session.run(INPUT);
  const before = session.catalog;
  session.run(COPY);
  expect([...before.sources.keys()]).toEqual(['INPUT']);
  expect([...session.catalog.sources.keys()]).toEqual(['INPUT', 'COPY']);
  expect(session.catalog.version).toBe(before.version + 2);
});

test('an unknown name is refused with the nearest one', () => {
  const session = new Session();
  session.run(INPUT);
  const error = refused(() => session.catalog.source('INPTU', { line: 3, column: 9 }));
  expect(error.code).toBe('UNKNOWN_SOURCE');
  expect(error.position).toEqual({ line: 3, column: 9 });
  expect(error.hint).toBe('Did you mean INPUT?');
});

test('a source in use is not dropped and its dependants are named', () => {
  const session = new Session();
  session.run(INPUT + COPY + TOTALS);
  const error = refused(() => withoutSource(session.catalog, 'COPY'));
  expect(error.code).toBe('IN_USE');
  expect(error.message).toBe('COPY is in use by CTAS_TOTALS_1; TOTALS is made from it');
  expect(error.hint).toBe('TERMINATE CTAS_TOTALS_1 first.');
});

test('a source goes together with the query that made it', () => {
  const session = new Session();
  session.run(`${INPUT}${COPY}${TOTALS}DROP TABLE totals; DROP STREAM copy;`);
  expect([...session.catalog.sources.keys()]).toEqual(['INPUT']);
  expect(session.catalog.queries.size).toBe(0);
});

test('an INSERT INTO keeps its target in use', () => {
  const session = new Session();
  const other = INPUT.replaceAll('input', 'other');
  session.run(`${INPUT}${other}${COPY}INSERT INTO copy SELECT * FROM other;`);
  expect(linksOf(session.catalog, 'COPY')).toEqual({
    readBy: [],
    writtenBy: ['CSAS_COPY_0', 'INSERTQUERY_1'],
    feeds: [],
  });
  expect(session.refusal('DROP STREAM copy;')).toBe(
    'IN_USE line 1:13: COPY is in use by INSERTQUERY_1',
  );
});

test('what a terminated query wrote stays and may be dropped', () => {
  const session = new Session();
  session.run(INPUT + COPY);
  const left = withoutQuery(session.catalog, 'CSAS_COPY_0');
  expect(left.sources.has('COPY')).toBe(true);
  expect(withoutSource(left, 'INPUT').sources.has('INPUT')).toBe(false);
  expect(refused(() => withoutQuery(left, 'CSAS_COPY_0')).code).toBe('UNKNOWN_QUERY');
});

test('no more than QUERIES_MAX queries run, but one may be replaced', () => {
  let catalog = Catalog.empty;
  const query = (id: number) => ({ id: `Q${id}`, statement: '', reads: [], writes: null });
  for (let id = 0; id < QUERIES_MAX; id++) catalog = catalog.withQuery(query(id));
  expect(catalog.withQuery(query(0)).queries.size).toBe(QUERIES_MAX);
  expect(refused(() => catalog.withQuery(query(QUERIES_MAX))).code).toBe('LIMIT');
});

test('there are no more than SOURCES_MAX streams and tables, but one may be replaced', () => {
  const session = new Session();
  session.run(INPUT);
  const source = session.catalog.source('INPUT');
  const sources = new Map(Array.from({ length: SOURCES_MAX }, (_, i) => [`S${i}`, source]));
  const full = Catalog.empty.changed({ sources });
  expect(full.withSource({ ...source, name: 'S0' }).sources.size).toBe(SOURCES_MAX);
  expect(refused(() => full.withSource(source)).code).toBe('LIMIT');
});

test('there are no more than TYPES_MAX types', () => {
  const types = new Map(Array.from({ length: TYPES_MAX }, (_, i) => [`T${i}`, BIGINT]));
  const full = Catalog.empty.changed({ types });
  expect(withType(full, 'T0', BIGINT).types.size).toBe(TYPES_MAX);
  expect(refused(() => withType(full, 'T', BIGINT)).code).toBe('LIMIT');
});

test('custom types come and go by name', () => {
  const catalog = withType(Catalog.empty, '__proto__', BIGINT);
  expect(catalog.types.get('__proto__')).toEqual(BIGINT);
  expect(withoutType(catalog, '__proto__').types.size).toBe(0);
});

test.each([
  ['QAUKES', ['QUAKES', 'SNAKES'], 'QUAKES'],
  ['quakes', ['QUAKES'], 'QUAKES'],
  ['X', ['QUAKES'], null],
  ['VALUE_FROMAT', ['VALUE_FORMAT', 'KEY_FORMAT'], 'VALUE_FORMAT'],
])('the name nearest to %s among %j is %s', (name, known, nearest) => {
  expect(nearestName(name, known)).toBe(nearest);
});
