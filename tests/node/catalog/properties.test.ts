// WITH properties: what they read as and what is refused.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PARTITIONS_MAX } from '../../../runtime/base/limits.ts';
import { readAllProperties } from '../../../runtime/catalog/all-properties.ts';
import { readProperties } from '../../../runtime/catalog/properties.ts';
import { parse } from '../../../runtime/sql/parser.ts';
import { Session } from '../plan/session.ts';

function properties(written: string) {
  const [statement] = parse(`CREATE STREAM s (a INT) WITH (${written});`);
  if (statement?.kind !== 'CreateSource') throw new Error('not a CREATE STREAM');
  return readProperties(statement.properties, 'create');
}

function refusal(written: string): string {
  return new Session().refusal(`CREATE STREAM s (a INT) WITH (${written});`);
}

test('properties are read with their types, whatever their case', () => {
  const read = properties(
    "kafka_topic='t.1', Partitions='4', FORMAT='json', TIMESTAMP='ts', WRAP_SINGLE_VALUE='True', RETENTION_MS=60000",
  );
  expect(read.topic?.value).toBe('t.1');
  expect(read.partitions?.value).toBe(4);
  expect(read.format?.value).toBe('JSON');
  expect(read.timestamp?.value).toBe('TS');
  expect(read.wrapSingleValue?.value).toBe(true);
  expect(read.retentionMs?.value).toBe(60_000);
  expect(read.keyFormat).toBeNull();
});

test('a column in backticks keeps its case', () => {
  expect(properties("TIMESTAMP='`ts`'").timestamp?.value).toBe('ts');
});

test('REPLICAS is taken with a warning', () => {
  expect(properties('REPLICAS=3').warnings).toEqual([
    'REPLICAS means nothing here: the host replicates the log.',
  ]);
});

test.each([
  ["WINDOW_SIZE='30 seconds'", 30_000],
  ["WINDOW_SIZE='1 DAY'", 86_400_000],
  ["WINDOW_SIZE='250 Milliseconds'", 250],
])('%s is %d ms', (written, ms) => {
  expect(properties(written).windowSizeMs?.value).toBe(ms);
});

test.each([
  ["VALUE_DELIMITER='TAB'", '\t'],
  ["VALUE_DELIMITER='|'", '|'],
  ["VALUE_DELIMITER='space'", ' '],
])('%s is one character', (written, character) => {
  expect(properties(written).valueDelimiter?.value).toBe(character);
});

test('PARTITIONS is accepted at its maximum', () => {
  expect(properties(`PARTITIONS=${PARTITIONS_MAX}`).partitions?.value).toBe(PARTITIONS_MAX);
});

test.each([
  [`PARTITIONS=${PARTITIONS_MAX + 1}`, 'INVALID line 1:42: PARTITIONS cannot be 257'],
  ['PARTITIONS=0', 'INVALID line 1:42: PARTITIONS cannot be 0'],
  ["VALUE_FROMAT='JSON'", 'INVALID line 1:31: unknown property VALUE_FROMAT'],
  ["KAFKA_TOPIC='a', kafka_topic='b'", 'INVALID line 1:48: the property KAFKA_TOPIC stands twice'],
  ["KAFKA_TOPIC='__a'", "INVALID line 1:43: KAFKA_TOPIC cannot be '__a'"],
  ["KAFKA_TOPIC='a b'", "INVALID line 1:43: KAFKA_TOPIC cannot be 'a b'"],
  ["WINDOW_SIZE='30 bobs'", "SYNTAX line 1:43: WINDOW_SIZE cannot be '30 bobs'"],
  ["VALUE_DELIMITER='<~>'", "INVALID line 1:47: VALUE_DELIMITER cannot be '<~>'"],
  ["VALUE_DELIMITER=' '", "INVALID line 1:47: VALUE_DELIMITER cannot be ' '"],
  ["VALUE_DELIMITER=''", "INVALID line 1:47: VALUE_DELIMITER cannot be ''"],
  ['WRAP_SINGLE_VALUE=1', 'INVALID line 1:49: WRAP_SINGLE_VALUE cannot be 1'],
  ['VALUE_SCHEMA_ID=1', 'UNSUPPORTED line 1:31: VALUE_SCHEMA_ID needs a schema registry'],
])('%s is refused', (written, message) => {
  expect(refusal(written)).toBe(message);
});

test.each([
  ["VALUE_FORMAT='FOO'", 'INVALID line 1:61: unknown format FOO'],
  ["VALUE_FORMAT='AVRO'", 'UNSUPPORTED line 1:61: the format AVRO is not supported yet'],
  [
    "KEY_FORMAT='JSON_SR', VALUE_FORMAT='JSON'",
    'UNSUPPORTED line 1:59: the format JSON_SR is not supported yet',
  ],
  [
    "FORMAT='JSON', KEY_FORMAT='KAFKA'",
    'INVALID line 1:74: FORMAT stands beside KEY_FORMAT or VALUE_FORMAT',
  ],
  [
    "VALUE_FORMAT='JSON', VALUE_DELIMITER='|'",
    'INVALID line 1:85: VALUE_DELIMITER means nothing to the format JSON',
  ],
  [
    "VALUE_FORMAT='KAFKA', WRAP_SINGLE_VALUE=true",
    'INVALID line 1:88: the format KAFKA cannot wrap a single value',
  ],
])('%s is refused with the topic', (written, message) => {
  expect(refusal(`KAFKA_TOPIC='t', ${written}`)).toBe(message);
});

test('a value format must be given unless the session has a default', () => {
  const sql = "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='t');";
  expect(new Session().refusal(sql)).toBe('INVALID line 1:1: the property VALUE_FORMAT is missing');
  const session = new Session({ 'ksql.persistence.default.format.value': 'json' });
  session.run(sql);
  expect(session.catalog.source('S').valueFormat).toEqual({
    format: 'JSON',
    options: [],
    wrap: true,
  });
  expect(session.catalog.source('S').keyFormat.format).toBe('KAFKA');
});

test('plain statements read as all others do', () => {
  const name = fc.constantFrom(
    'KAFKA_TOPIC',
    'partitions',
    'FORMAT',
    'KEY_FORMAT',
    'VALUE_FORMAT',
    'Timestamp',
    'TIMESTAMP_FORMAT',
    'RETENTION_MS',
    'REPLICAS',
    'QUERY_ID',
    'NO_PROPERTY',
  );
  const value = fc.constantFrom(
    "'json'",
    "'t.1'",
    "'__t'",
    "''",
    "'`a b`'",
    "'a b'",
    "'é'",
    "'3'",
    "'-3'",
    '0',
    '4',
    String(PARTITIONS_MAX),
    String(PARTITIONS_MAX + 1),
    '99999999999',
    '1.5',
    'TRUE',
  );
  const written = fc.array(fc.tuple(name, value), { maxLength: 4 });
  const of = fc.constantFrom('create' as const, 'createAs' as const, 'insert' as const);
  const outcome = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (thrown) {
      return thrown;
    }
  };
  fc.assert(
    fc.property(written, of, (given, statement) => {
      const list = given.map(([property, literal]) => `${property}=${literal}`).join();
      const [parsed] = parse(`CREATE STREAM s (a INT)${list && ` WITH (${list})`};`);
      const { properties: all } = parsed as Extract<typeof parsed, { kind: 'CreateSource' }>;
      const plain = outcome(() => readProperties(all, statement));
      expect(plain).toEqual(outcome(() => readAllProperties(all, statement)));
    }),
    { numRuns: 2000 },
  );
});
