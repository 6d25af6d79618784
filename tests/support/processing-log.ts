// Records that cannot be used as they are, and what the processing log must say of them; pure.

export const PROBLEM_STATEMENTS = `CREATE STREAM bad (k STRING KEY, v STRING, t BIGINT)
    WITH (KAFKA_TOPIC='bad', PARTITIONS=1, VALUE_FORMAT='JSON', TIMESTAMP='t');
  CREATE TABLE sums WITH (PARTITIONS=1) AS SELECT k, SUM(CAST(v AS INT)) AS n FROM bad
    WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 0 SECONDS) GROUP BY k EMIT CHANGES;`;

/** A good record; one that does not parse; one whose cast fails; one that is late. */
export const PROBLEM_RECORDS = [
  { key: 'a', value: '{"V":"1","T":5000}', timestamp: 5000 },
  { key: 'a', value: '{"V":', timestamp: 5001 },
  { key: 'a', value: '{"V":"x","T":5002}', timestamp: 5002 },
  { key: 'a', value: '{"V":"2","T":1000}', timestamp: 1000 },
];

/** Offset, code and rowtime of each problem. */
export const PROBLEMS: readonly (readonly [offset: number, code: string, rowtime: number])[] = [
  [1, 'DESERIALIZATION', 5001],
  [2, 'EXPRESSION', 5002],
  [3, 'LATE', 1000],
];
