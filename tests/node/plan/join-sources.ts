// Streams and tables to be joined, for tests of plans.

export const SOURCES = `
CREATE STREAM clicks (id INT KEY, page INT, n BIGINT, wide STRING) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM views (id INT KEY, page INT, ms BIGINT) WITH (KAFKA_TOPIC='views', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
CREATE STREAM again (id INT KEY, page INT, n BIGINT, wide STRING) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM other (id INT KEY, deep DOUBLE) WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON');
CREATE STREAM wide (id INT KEY, page INT) WITH (KAFKA_TOPIC='wide', PARTITIONS=4, VALUE_FORMAT='JSON');
CREATE STREAM timed (id INT KEY, page INT) WITH (KAFKA_TOPIC='timed', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM timed2 (id INT KEY, page INT) WITH (KAFKA_TOPIC='timed2', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE TABLE pages (id INT PRIMARY KEY, title STRING, site INT) WITH (KAFKA_TOPIC='pages', VALUE_FORMAT='JSON');
CREATE TABLE stats (id INT PRIMARY KEY, hits BIGINT) WITH (KAFKA_TOPIC='stats', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');
CREATE TABLE sites (sid INT PRIMARY KEY, host STRING) WITH (KAFKA_TOPIC='sites', PARTITIONS=3, VALUE_FORMAT='JSON');
CREATE TABLE twins (id INT PRIMARY KEY, twin INT, v STRING) WITH (KAFKA_TOPIC='twins', VALUE_FORMAT='JSON');
`;

export const SELF = { 'millrace.self.joins': 'allow' };
export const NEVER = { 'millrace.fuse': 'never' };

export const stream = (query: string): string => `CREATE STREAM x AS SELECT ${query};`;
export const table = (query: string): string => `CREATE TABLE x AS SELECT ${query};`;
