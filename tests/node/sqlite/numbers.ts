// The statements that the tests of a database file run: numbers, a copy of them and their sums by key; runs nothing.

export const NUMBERS_SQL = `
  CREATE STREAM numbers (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='numbers', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE STREAM doubled AS SELECT k, n, n * 2 AS twice FROM numbers;
  CREATE TABLE sums AS SELECT k, COUNT(*) AS rows_in, SUM(n) AS total FROM numbers GROUP BY k;`;
