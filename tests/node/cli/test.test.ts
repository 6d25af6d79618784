// The command `millrace test`: what passes and what fails, what it prints of that, and with which status it ends.

import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Workplace } from './command.ts';

const place = new Workplace();
afterAll(() => place.remove());

const APP = `CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE TABLE sums AS SELECT k, SUM(n) AS n FROM s GROUP BY k;
`;

/** The output without the folder's path. */
async function run(sql: string, ...options: readonly string[]) {
  place.write('t.sql', sql);
  const ended = await place.millrace('test', '@t.sql', ...options);
  return { ...ended, stdout: ended.stdout.replaceAll(`${place.folder}/`, '') };
}

test('each test has a fresh engine, and what fails says where, what was expected and what came', async () => {
  const sql = `--@test: adds
${APP}INSERT INTO s (k, n) VALUES ('a', 1);
INSERT INTO s (k, n) VALUES ('a', 2);
ASSERT VALUES sums (k, n) VALUES ('a', 1);
ASSERT VALUES sums (k, n) VALUES ('a', 3);
--@test: issue #7
${APP}INSERT INTO s (ROWTIME, k, n) VALUES (5, 'a', 1);
ASSERT VALUES sums (ROWTIME, k, n) VALUES (5, 'a', 2);
--@test: no more
${APP}ASSERT VALUES sums (k, n) VALUES ('a', 1);
`;
  const ended = await run(sql);
  expect(ended).toEqual({
    status: 1,
    stderr: '',
    stdout: `TAP version 14
1..3
ok 1 - t.sql - adds
not ok 2 - t.sql - issue \\#7
  ---
  at: "t.sql:12"
  message: "N: expected 2, got 1"
  ...
not ok 3 - t.sql - no more
  ---
  at: "t.sql:16"
  message: "SUMS has no further record"
  ...
# 1 passed, 2 failed
`,
  });
  expect(await run(sql)).toEqual(ended);
  expect(await run(sql, '--filter', 'adds')).toMatchObject({
    status: 0,
    stdout: 'TAP version 14\n1..1\nok 1 - t.sql - adds\n# 1 passed, 0 failed\n',
  });
});

test.each([
  ['KsqlException', 'no stream or table NOTHING', null],
  ['UNKNOWN_SOURCE', null, null],
  ['AssertionError', null, 'expected the error AssertionError, got UNKNOWN_SOURCE: '],
  ['KsqlException', 'another', 'expected the error KsqlException: another, got UNKNOWN_SOURCE: '],
  ['ParseFailedException', null, 'expected the error ParseFailedException, got UNKNOWN_SOURCE: '],
])('an expected error of the class %s with the message %s', async (type, message, fault) => {
  const directive = message === null ? '' : `--@expected.message: ${message}\n`;
  const ended = await run(
    `--@test: e\n--@expected.error: a.b.${type}\n${directive}DESCRIBE nothing;\n`,
  );
  expect(ended.status).toBe(fault === null ? 0 : 1);
  expect(ended.stdout).toContain(fault === null ? 'ok 1 - t.sql - e\n# 1 passed' : fault);
});

test('an expected error that does not come fails at the head of its test', async () => {
  const ended = await run(`\n--@test: e\n--@expected.error: a.KsqlException\nSHOW STREAMS;\n`);
  expect(ended.status).toBe(1);
  expect(ended.stdout).toContain(
    'at: "t.sql:2"\n  message: "expected the error KsqlException, got',
  );
});

test('what stands before an error of syntax is done, and a failed assertion there comes first', async () => {
  const failing = `ASSERT VALUES sums (k, n) VALUES ('a', 1);\nCREATE STREEM x;\n`;
  const ended = await run(`--@test: e\n--@expected.error: AssertionError\n${APP}${failing}`);
  expect(ended.status).toBe(0);
  const other = await run('--@test: e\nSHOW STREAMS;\nCREATE STREEM x;\n');
  expect(other.stdout).toContain('at: "t.sql:3"\n  message: "SYNTAX: ');
});

test('RUN SCRIPT looks beside its file, faults in the script are told there, and a circle is refused', async () => {
  place.write('app.sql', APP);
  const good = `--@test: r\nRUN SCRIPT 'app.sql';\nINSERT INTO s (k, n) VALUES ('a', 1);\nASSERT TABLE sums (k STRING PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='SUMS', VALUE_FORMAT='JSON');\nASSERT VALUES sums (k, n) VALUES ('a', 1);\n`;
  expect(await run(good)).toMatchObject({ status: 0 });
  place.write('bad.sql', 'SHOW STREAMS;\nDESCRIBE nothing;\n');
  expect((await run(`--@test: r\nRUN SCRIPT 'bad.sql';\n`)).stdout).toContain('bad.sql:2"');
  place.write('bad.sql', `RUN SCRIPT 'bad.sql';`);
  expect((await run(`--@test: r\nRUN SCRIPT 'bad.sql';\n`)).stdout).toContain('runs itself');
  expect((await run(`--@test: r\nRUN SCRIPT 'gone.sql';\n`)).stdout).toContain('cannot be read');
});

test('folders are searched for files of tests, in the order of their names, and scripts are none', async () => {
  mkdirSync(place.path('all/deep'), { recursive: true });
  place.write('all/b.sql', '--@test: two\nSHOW STREAMS;\n');
  place.write('all/deep/c.sql', '--@test: three\nSHOW STREAMS;\n');
  place.write('all/a.sql', '--@test: one\nSHOW STREAMS;\n');
  place.write('all/d.txt', 'nothing');
  place.write('all/app.sql', APP);
  const ended = await place.millrace('test', '@all');
  const names = [...ended.stdout.matchAll(/^ok \d - .* - (\w+)$/gm)].map(([, name]) => name);
  expect(names).toEqual(['one', 'two', 'three']);
});

test.each([
  ['the files of tests are missing', ['test']],
  ['there is no file', ['test', '@gone.sql']],
  ['there is no --@test: in the files', ['test', '@empty.sql']],
  ['line 1 stands before the first case', ['test', '@headless.sql']],
  // The path of a file is no part of the name.
  ["no test is named '.sql'", ['test', '@one.sql', '--filter', '.sql']],
])('%s: wrong usage', async (message, args) => {
  place.write('empty.sql', '-- nothing\n');
  place.write('headless.sql', 'SHOW STREAMS;\n');
  place.write('one.sql', '--@test: one\nSHOW STREAMS;\n');
  const ended = await place.millrace(...args);
  expect(ended).toMatchObject({ status: 2, stdout: '' });
  expect(ended.stderr).toContain(message);
});

test('the tests of this project pass', async () => {
  const ended = await place.millrace('test', resolve(import.meta.dirname, '../../cases'));
  expect(ended.stdout).toMatch(/^# 1\d passed, 0 failed$/m);
  expect(ended.status).toBe(0);
});

test('the example of the guide passes, as a program', async () => {
  const guide = readFileSync(resolve(import.meta.dirname, '../../../docs/testing.md'), 'utf8');
  const [example, ...others] = [...guide.matchAll(/^```sql\n(.*?)^```/gms)].map(([, sql]) => sql);
  expect(others).toEqual([]);
  place.write('orders.test.sql', example ?? '');
  const ended = await place.process('test', 'orders.test.sql');
  const [, shown = ''] = /^```tap\n(.*?)^```/ms.exec(guide) ?? [];
  expect(ended).toEqual({ status: 0, stdout: shown, stderr: '' });
});
