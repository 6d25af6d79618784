// Streams and tables to be joined, for tests of names, refusals and places.
import { Session } from '../plan/session.ts';

const SOURCES = `
CREATE STREAM orders (id INT KEY, item INT, n BIGINT, note STRING) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');
CREATE STREAM paid (id INT KEY, amount DOUBLE, note STRING, tags ARRAY<INT>) WITH (KAFKA_TOPIC='paid', VALUE_FORMAT='JSON');
CREATE STREAM sent (oid INT KEY, place STRING) WITH (KAFKA_TOPIC='sent', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
CREATE STREAM bare (id INT, x INT) WITH (KAFKA_TOPIC='bare', VALUE_FORMAT='JSON', KEY_FORMAT='NONE');
CREATE STREAM four (id INT KEY, x INT) WITH (KAFKA_TOPIC='four', PARTITIONS=4, VALUE_FORMAT='JSON');
CREATE STREAM plain (id INT KEY, x INT) WITH (KAFKA_TOPIC='plain', VALUE_FORMAT='KAFKA');
CREATE STREAM named (rowkey INT KEY, rowkey_1 INT) WITH (KAFKA_TOPIC='named', VALUE_FORMAT='JSON');
CREATE STREAM held (id INT KEY, h ARRAY<STRUCT<key STRING, value BYTES>> HEADERS, m MAP<STRING, INT>) WITH (KAFKA_TOPIC='held', VALUE_FORMAT='JSON');
CREATE STREAM spans (id INT KEY, v INT) WITH (KAFKA_TOPIC='spans', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM hourly (id INT KEY, v INT) WITH (KAFKA_TOPIC='hourly', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 HOUR');
CREATE STREAM daily (id INT KEY, v INT) WITH (KAFKA_TOPIC='daily', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='1 DAY');
CREATE TABLE items (id INT PRIMARY KEY, name STRING, maker INT) WITH (KAFKA_TOPIC='items', VALUE_FORMAT='JSON');
CREATE TABLE stock (id INT PRIMARY KEY, held BIGINT) WITH (KAFKA_TOPIC='stock', VALUE_FORMAT='JSON');
CREATE TABLE makers (mid INT PRIMARY KEY, land STRING) WITH (KAFKA_TOPIC='makers', VALUE_FORMAT='JSON');
CREATE TABLE pairs (a INT PRIMARY KEY, b INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='pairs', FORMAT='JSON');
CREATE TABLE seen (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='seen', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 HOUR');
`;

/** A session with streams and tables of all kinds. */
export function session(properties: Readonly<Record<string, string>> = {}): Session {
  const made = new Session(properties);
  made.run(SOURCES);
  return made;
}

/** A stream of what the query gives. */
export const stream = (query: string): string => `CREATE STREAM x AS SELECT ${query};`;
/** A table of what the query gives. */
export const table = (query: string): string => `CREATE TABLE x AS SELECT ${query};`;
