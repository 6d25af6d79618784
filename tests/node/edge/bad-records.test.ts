// Bad records, producers and texts of SQL: refused or data, nothing changed for this tenant or another, and the edge goes on.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  BODY_BYTES_MAX,
  PRODUCER_AHEAD_MS_MAX,
  STATEMENT_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { type Answer, until } from '../../support/edge-client.ts';
import { TenantsEdge } from '../../support/tenants-edge.ts';

let edge: TenantsEdge;
beforeAll(async () => {
  edge = await TenantsEdge.start();
});
afterAll(() => edge.workerd.stop());

const bytes = singleRecord(null, new Uint8Array([49]), 1000);

test('a record batch that is damaged in any byte is refused', async () => {
  const before = await edge.everything();
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0x41;
    expect((await edge.batch(damaged)).status).toBe(400);
  }
  for (const body of [new Uint8Array(0), bytes.slice(0, 31), new Uint8Array(1_048_577)]) {
    expect([400, 413]).toContain((await edge.batch(body)).status);
  }
  for (const path of ['/topics/good/partitions/2/batch', '/topics/nowhere/partitions/0/batch']) {
    expect((await edge.batch(bytes, {}, path)).status).toBe(404);
  }
  expect((await edge.batch(bytes, { 'Content-Type': 'application/json' })).status).toBe(415);
  expect(await edge.everything()).toBe(before);
});

const bornMs = Date.now() - 1000;
const stamped = (sequence: number | string, epoch: number | string = 0, id = `${bornMs}.p`) => ({
  'Producer-Id': id,
  'Producer-Epoch': String(epoch),
  'Producer-Seq': String(sequence),
});

test('producers that skip, go back, lie or speak from another time are refused, and nothing is appended', async () => {
  const appended = (headers: object, body = bytes) => edge.batch(body, headers);
  expect((await appended(stamped(0))).status).toBe(200);
  const refusals: [object, number, string][] = [
    [{ 'Producer-Id': `${bornMs}.p` }, 400, 'BAD_REQUEST'],
    [{ 'Producer-Id': `${bornMs}.p`, 'Producer-Seq': '1' }, 400, 'BAD_REQUEST'],
    [stamped(2), 409, 'OUT_OF_ORDER_SEQUENCE'],
    [stamped(5, 1), 409, 'OUT_OF_ORDER_SEQUENCE'],
    [stamped(-1), 400, 'BAD_REQUEST'],
    [stamped('1, 1'), 400, 'BAD_REQUEST'],
    [stamped('9007199254740992'), 400, 'BAD_REQUEST'],
    [stamped(1, 'x'), 400, 'BAD_REQUEST'],
    [stamped(0, 0, 'p'), 400, 'BAD_REQUEST'],
    [stamped(0, 0, `${bornMs}.p, ${bornMs}.q`), 400, 'BAD_REQUEST'],
    [stamped(0, 0, `${bornMs}.${'x'.repeat(300)}`), 400, 'BAD_REQUEST'],
    [stamped(0, 0, `${Date.now() + PRODUCER_AHEAD_MS_MAX + 60_000}.p`), 409, 'UNKNOWN_PRODUCER'],
    [{ ...stamped(1), 'Topic-Incarnation': '1-0' }, 409, 'INCARNATION_CHANGED'],
  ];
  const answers = await edge.allHarmless(
    refusals.map(
      ([headers]) =>
        () =>
          appended(headers),
    ),
  );
  expect(answers.map(({ status, text }) => [status, JSON.parse(text).code])).toEqual(
    refusals.map(([, status, code]) => [status, code]),
  );
  const other = singleRecord(null, new Uint8Array([50]), 1000);
  const reused = await edge.harmless(() => appended(stamped(0), other));
  expect(JSON.parse(reused.text)).toMatchObject({ code: 'SEQUENCE_REUSED' });
  const repeat = await appended(stamped(0));
  expect(JSON.parse(repeat.text)).toMatchObject({ duplicate: true, base: 0 });
  const ahead = stamped(0, 0, `${Date.now() + PRODUCER_AHEAD_MS_MAX - 60_000}.early`);
  expect((await appended(ahead)).status).toBe(200);
  expect((await appended(stamped(1, 3))).status).toBe(200);
  const old = await edge.harmless(() => appended(stamped(2, 2)));
  expect(JSON.parse(old.text)).toMatchObject({ code: 'FENCED', detail: { epoch: 3 } });
});

test('the same append sent many times at once is appended once', async () => {
  const before = await edge.ask('GET', '/topics/good');
  const sent = await Promise.all(
    Array.from({ length: 20 }, () => edge.batch(bytes, stamped(0, 0, `${bornMs}.twenty`))),
  );
  const answers = sent.map(({ text }) => JSON.parse(text) as { base: number; duplicate: boolean });
  expect(new Set(answers.map(({ base }) => base)).size).toBe(1);
  expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  const high = (answer: Answer) =>
    (answer.body as { bounds: { highWatermark: number }[] }).bounds[0]?.highWatermark ?? 0;
  expect(high(await edge.ask('GET', '/topics/good'))).toBe(high(before) + 1);
});

test('a million records in one body, and one record too many, are refused as a whole', async () => {
  const many = `{"records":[${'{},'.repeat(1_000_000)}{}]}`;
  const answer = await edge.harmless(() => edge.ask('POST', '/topics/good/records', many));
  expect(answer.status).toBe(413);
});

test.each([
  ['beyond the limit of a text', `SELECT '${'x'.repeat(STATEMENT_BYTES_MAX)}' FROM s;`, 400],
  [
    'nested without end',
    `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)} FROM s EMIT CHANGES;`,
    400,
  ],
  ['of ten thousand columns', `SELECT ${'a,'.repeat(10_000)}a FROM s EMIT CHANGES;`, 400],
  ['with a text that does not end', "SELECT 'x FROM s;", 400],
  ['with a comment that does not end', 'SELECT /* x FROM s;', 400],
  ['with NUL', 'SELECT \u0000 FROM s;', 400],
  ['of semicolons', ';'.repeat(10_000), 400],
  ['that goes on behind a semicolon', "SELECT * FROM t WHERE k = ''; DROP TABLE t;", 400],
  ['with a name that is SQL', 'SELECT * FROM `t; DROP TABLE entry; --`;', 404],
  ['with a quote that is none', 'SELECT * FROM t WHERE k = ‘x’;', 400],
  ['with a function that is none', "SELECT load_extension('x') FROM s EMIT CHANGES;", 400],
  ['over what SQLite has', 'SELECT * FROM sqlite_master;', 404],
])('a query %s is refused at once, with its place', async (_, sql, status) => {
  const answers = await edge.allHarmless([
    () => edge.ask('POST', '/query', { ksql: sql }),
    () => edge.ask('POST', '/query-stream', { sql }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([status, status]);
});

test('texts of SQL are data, wherever they stand', async () => {
  const evil = "x'); DROP TABLE entry; --";
  const quoted = evil.replaceAll("'", "''");
  expect(
    (await edge.ksql(`INSERT INTO s (k, a, t) VALUES ('${quoted}', 1, '${quoted}');`)).status,
  ).toBe(200);
  const sql = `SELECT * FROM t WHERE k = '${quoted}';`;
  const found = await until(async () => {
    const { text } = await edge.ask('POST', '/query', { ksql: sql });
    return text.includes('DROP TABLE') && text;
  });
  expect(found).toContain(JSON.stringify(evil));
  await edge.harmless(() => edge.ask('GET', `/topics/${encodeURIComponent(evil)}`));
});

test.each([
  ["REPEAT('x', 1000000000)"],
  ["LPAD('x', 2000000000, 'y')"],
  ["REGEXP_REPLACE(t, '(a+)+$', 'x')"],
  ["REGEXP_REPLACE(t, '(.*a){25}', 'x')"],
  ["REGEXP_REPLACE(t, '(a)\\\\1', 'x')"],
  [`REGEXP_REPLACE(t, '${'a'.repeat(5000)}', 'x')`],
  ["REGEXP_REPLACE(t, '(', 'x')"],
  [`CAST(t LIKE '${'%a'.repeat(1000)}' AS STRING)`],
])('%s over a long text ends soon, and the edge goes on', async (expression) => {
  const long = 'a'.repeat(6_000);
  await edge.ask('POST', '/topics/s/records', {
    records: [{ key: 'long', value: { A: 1, T: `${long}!` } }],
  });
  const from = performance.now();
  const sql = `SELECT ${expression} AS x FROM s EMIT CHANGES LIMIT 1;`;
  const properties = { 'auto.offset.reset': 'earliest' };
  const answer = await edge.ask('POST', '/query', { ksql: sql, streamsProperties: properties });
  expect(answer.status).toBeLessThan(500);
  expect(answer.text.length).toBeLessThan(2 * BODY_BYTES_MAX);
  expect(performance.now() - from).toBeLessThan(20_000);
  expect((await edge.ksql('SHOW STREAMS;')).status).toBe(200);
});

test('keys are compared by their bytes: twins, marks and lone surrogates stay apart or whole', async () => {
  await edge.ask('POST', '/topics', { name: 'keys' });
  const keys = ['\u00e9', 'e\u0301', 'a\u0000b', 'a\u202Eb', '\u{1F600}'];
  const records = keys.map((key) => ({ key, value: key }));
  expect((await edge.ask('POST', '/topics/keys/records', { records })).status).toBe(200);
  const lone = '{"records":[{"key":"\\ud800","value":"\\ud800"}]}';
  expect((await edge.ask('POST', '/topics/keys/records', lone)).status).toBe(200);
  const { body, text } = await edge.ask('GET', '/topics/keys/partitions/0/records');
  const seen = (body as { records: { key: string; value: string }[] }).records;
  expect(seen.slice(0, 5)).toEqual(keys.map((key) => expect.objectContaining({ key, value: key })));
  expect(text).toContain('"value":"\\ud800"');
  await edge.ask('DELETE', '/topics/keys');
});
