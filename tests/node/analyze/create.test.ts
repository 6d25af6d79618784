// CREATE STREAM and TABLE: columns, keys, headers, windows, topics and what is refused of them.
import { expect, test } from 'vitest';
import { COLUMNS_MAX, NAME_LENGTH_MAX } from '../../../runtime/base/limits.ts';
import { analyzeStatement } from '../../../runtime/analyze/analyze.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { DECIMAL_DIGITS_MAX } from '../../../runtime/base/limits.ts';
import { Session } from '../plan/session.ts';

const JSON_S = "WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON')";

function created(sql: string) {
  const analysis = new Session().run(sql);
  if (analysis.kind !== 'createSource') throw new Error('nothing was created');
  return analysis;
}

test('columns stand in the order key, window, value, header, however they were declared', () => {
  const { source } = created(
    "CREATE STREAM s (v BIGINT, h BYTES HEADER('x'), k STRING KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WINDOW_TYPE='hopping', WINDOW_SIZE='5 minutes', TIMESTAMP='v', PARTITIONS=3);",
  );
  expect(source.schema.columns.map((column) => `${column.name} ${column.role}`)).toEqual([
    'K key',
    'WINDOWSTART window',
    'WINDOWEND window',
    'V value',
    'H pseudo',
  ]);
  expect(source.headers).toEqual([{ column: 'H', key: 'x' }]);
  expect(source.window).toEqual({ type: 'HOPPING', sizeMs: 300_000 });
  expect(source.timestamp).toEqual({ column: 'V', format: null });
  expect(source.partitions).toBe(3);
});

test('a table is kept by its key, a stream by its time', () => {
  expect(created(`CREATE TABLE s (k STRING PRIMARY KEY) ${JSON_S};`).topic.compacted).toBe(true);
  expect(created(`CREATE STREAM s (k STRING KEY) ${JSON_S};`).topic.compacted).toBe(false);
});

test('partitions come from the topic that exists', () => {
  const session = new Session();
  const options = { ...session.options, topics: new Map([['s', { partitions: 7 }]]) };
  const analyze = (sql: string) => {
    const [statement] = parse(sql);
    if (statement === undefined) throw new Error('no statement');
    return analyzeStatement(statement, options);
  };
  const analysis = analyze(`CREATE STREAM s (a INT) ${JSON_S};`);
  expect(analysis.kind === 'createSource' && analysis.topic.partitions).toBe(7);
  expect(() =>
    analyze("CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');"),
  ).toThrow('line 1:59: the topic s exists with 7 partitions, not 2');
  expect(() =>
    analyze("CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='other', VALUE_FORMAT='JSON');"),
  ).toThrow('line 1:43: there is no topic other');
});

test('IF NOT EXISTS of a known name does nothing', () => {
  const sql = `CREATE STREAM IF NOT EXISTS s (a INT) ${JSON_S};`;
  expect(new Session().run(sql + sql)).toEqual({
    kind: 'none',
    message: 'The stream S exists already.',
  });
});

test('columns and names are taken up to their limits', () => {
  const columns = (count: number): string =>
    Array.from({ length: count }, (_, index) => `c${index} INT`).join(', ');
  expect(
    created(`CREATE STREAM s (${columns(COLUMNS_MAX)}) ${JSON_S};`).source.schema.columns.length,
  ).toBe(COLUMNS_MAX);
  expect(new Session().refusal(`CREATE STREAM s (${columns(COLUMNS_MAX + 1)}) ${JSON_S};`)).toMatch(
    /^LIMIT /,
  );
  expect(
    created(`CREATE STREAM ${'s'.repeat(NAME_LENGTH_MAX)} (a INT) ${JSON_S};`).source.name.length,
  ).toBe(NAME_LENGTH_MAX);
  expect(
    new Session().refusal(`CREATE STREAM ${'s'.repeat(NAME_LENGTH_MAX + 1)} (a INT) ${JSON_S};`),
  ).toBe('LIMIT line 1:15: the name has 250 characters');
});

test.each([
  [`CREATE TABLE s (a INT) ${JSON_S};`, 'INVALID line 1:14: a table has a PRIMARY KEY'],
  [`CREATE TABLE s (a INT KEY) ${JSON_S};`, 'INVALID line 1:17: the column A of a table is KEY'],
  [
    `CREATE STREAM s (a INT PRIMARY KEY) ${JSON_S};`,
    'INVALID line 1:18: the column A of a stream is PRIMARY KEY',
  ],
  [`CREATE STREAM s (a INT, a STRING) ${JSON_S};`, 'INVALID line 1:25: two columns are called A'],
  [`CREATE STREAM s (ROWTIME BIGINT) ${JSON_S};`, 'INVALID line 1:18: ROWTIME is a reserved name'],
  [
    `CREATE STREAM s (m MAP<STRING, INT> KEY) ${JSON_S};`,
    'INVALID line 1:15: the key column M holds a MAP',
  ],
  [
    `CREATE STREAM s (a DECIMAL(256, 2)) ${JSON_S};`,
    'INVALID line 1:20: DECIMAL(256, 2) is not a type',
  ],
  [
    `CREATE STREAM s (a STRUCT<x INT, x INT>) ${JSON_S};`,
    'INVALID line 1:34: the field X stands twice in one STRUCT',
  ],
  [
    `CREATE STREAM s (h BYTES HEADERS) ${JSON_S};`,
    'TYPE_MISMATCH line 1:18: the HEADERS column H is BYTES',
  ],
  [
    `CREATE STREAM s (h INT HEADER('x')) ${JSON_S};`,
    "TYPE_MISMATCH line 1:18: the HEADER('x') column H is INTEGER",
  ],
  [
    `CREATE STREAM s (h BYTES HEADER('x'), g BYTES HEADER('x')) ${JSON_S};`,
    "INVALID line 1:39: two columns read the header 'x'",
  ],
  [`CREATE STREAM s ${JSON_S};`, 'INVALID line 1:15: S has no columns'],
  [
    "CREATE STREAM s (a INT) WITH (VALUE_FORMAT='JSON');",
    'INVALID line 1:1: the property KAFKA_TOPIC is missing',
  ],
  [
    "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');",
    'INVALID line 1:15: a windowed source has a key',
  ],
  [
    "CREATE STREAM s (a INT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING');",
    'INVALID line 1:85: a TUMBLING window without WINDOW_SIZE',
  ],
  [
    "CREATE STREAM s (a STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='a');",
    'TYPE_MISMATCH line 1:82: the TIMESTAMP column is STRING',
  ],
  [
    "CREATE STREAM s (a STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='a', TIMESTAMP_FORMAT='yyyy J');",
    "INVALID line 1:104: 'yyyy J' is no date-time pattern: J has no meaning",
  ],
  [
    "CREATE STREAM s (a BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP_FORMAT='yyyy');",
    'INVALID line 1:89: TIMESTAMP_FORMAT without TIMESTAMP',
  ],
  [
    "CREATE STREAM s (a BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='a', TIMESTAMP_FORMAT='yyyy');",
    'INVALID line 1:104: TIMESTAMP_FORMAT means nothing to BIGINT',
  ],
  [
    "CREATE STREAM s (a INT, b INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=false);",
    'INVALID line 1:94: WRAP_SINGLE_VALUE stands beside several value columns',
  ],
])('%s', (sql, message) => {
  expect(new Session().refusal(sql)).toBe(message);
});

test('a DECIMAL has up to so many digits, results of arithmetic too', () => {
  const digits = DECIMAL_DIGITS_MAX;
  const { source } = created(`CREATE STREAM s (a DECIMAL(${digits}, ${digits})) ${JSON_S};`);
  const type = { kind: 'DECIMAL', precision: digits, scale: digits };
  expect(source.schema.columns[0]?.type).toEqual(type);
  const session = new Session();
  session.run(`CREATE STREAM s (a DECIMAL(${digits}, 2)) ${JSON_S};`);
  expect(session.refusal('CREATE STREAM x AS SELECT ARRAY[a + a] AS b FROM s;')).toBe(
    `INVALID line 1:27: DECIMAL(${digits + 1}, 2) has more than ${digits} digits`,
  );
  session.run('CREATE STREAM x AS SELECT CAST(a + a AS DECIMAL(10, 2)) AS b FROM s;');
  expect(session.catalog.source('X').schema.columns[0]?.type).toEqual({
    kind: 'DECIMAL',
    precision: 10,
    scale: 2,
  });
});

test('a WINDOW_SIZE that is no duration, or of sessions, is no SQL', () => {
  const sized = (type: string, size: string): string =>
    new Session().refusal(
      `CREATE STREAM s (a INT KEY) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', WINDOW_TYPE='${type}', WINDOW_SIZE='${size}');`,
    );
  expect(sized('HOPPING', '30 bobs')).toBe("SYNTAX line 1:108: WINDOW_SIZE cannot be '30 bobs'");
  expect(sized('SESSION', '30 seconds')).toBe('SYNTAX line 1:108: WINDOW_SIZE of a SESSION window');
});

test('a sink takes formats, partitions and a topic after its source, the properties and the session', () => {
  const session = new Session({ 'ksql.output.topic.name.prefix': 'out-' });
  session.run(`CREATE STREAM s (k STRING KEY, a BIGINT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='JSON', VALUE_FORMAT='DELIMITED',
    VALUE_DELIMITER='|', PARTITIONS=3);
    CREATE STREAM x AS SELECT * FROM s;
    CREATE STREAM y WITH (FORMAT='JSON', KAFKA_TOPIC='other', PARTITIONS=5, TIMESTAMP='a', RETENTION_MS=1000) AS SELECT * FROM s;`);
  expect(session.catalog.source('X')).toMatchObject({
    topic: 'out-X',
    partitions: 3,
    keyFormat: { format: 'JSON' },
    valueFormat: { format: 'DELIMITED', options: [['DELIMITER', '|']] },
    timestamp: null,
    query: 'CSAS_X_0',
  });
  expect(session.catalog.source('Y')).toMatchObject({
    topic: 'other',
    partitions: 5,
    valueFormat: { format: 'JSON', options: [], wrap: true },
    timestamp: { column: 'A', format: null },
  });
});
