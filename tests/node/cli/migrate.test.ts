// The command `millrace migrate` against plain workerd: each file once and in order, changed files refused, failed ones mended.

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../runtime/client/index.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { Workerd } from '../../support/workerd.ts';
import { Workplace } from './command.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

const place = new Workplace();
afterAll(() => place.remove());

const migrate = (...more: string[]) => place.millrace('migrate', '--url', edge.url, '@', ...more);
const stream = (name: string) =>
  `CREATE STREAM ${name} (k STRING KEY, n INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, FORMAT='JSON');\n`;

async function streams(): Promise<string[]> {
  const [entity] = await connect({ url: edge.url }).execute('SHOW STREAMS;');
  return (entity as unknown as { streams: { name: string }[] }).streams.map(({ name }) => name);
}

test('files are applied once each in the order of their numbers, and told', async () => {
  place.write(
    'V000002__second.sql',
    `SET 'auto.offset.reset' = 'earliest';\nCREATE TABLE two AS SELECT k, COUNT(*) AS c FROM one GROUP BY k;\n`,
  );
  place.write('V000010__tenth.sql', stream('ten'));
  place.write('V000001__first.sql', `${stream('one')}INSERT INTO one (k, n) VALUES ('a', 1);\n`);
  const dry = await migrate('--dry-run');
  expect(dry.stdout).toBe(
    'V000001__first.sql would be applied\nV000002__second.sql would be applied\nV000010__tenth.sql would be applied\n',
  );
  expect(await streams()).not.toContain('ONE');
  const first = await migrate();
  expect(first).toEqual({
    status: 0,
    stdout: 'V000001__first.sql applied\nV000002__second.sql applied\nV000010__tenth.sql applied\n',
    stderr: '',
  });
  expect(await streams()).toEqual(expect.arrayContaining(['ONE', 'TEN']));
  expect(await migrate()).toEqual({ status: 0, stdout: 'nothing to apply\n', stderr: '' });
  const list = await connect({ url: edge.url }).migrations.list();
  expect(list.map(({ name, state, statements }) => [name, state, statements])).toEqual([
    ['V000001__first.sql', 'MIGRATED', 2],
    ['V000002__second.sql', 'MIGRATED', 1],
    ['V000010__tenth.sql', 'MIGRATED', 1],
  ]);
});

test('a file that failed is mended, and goes on behind what it has done', async () => {
  place.write('V000011__fails.sql', `${stream('eleven')}CREATE STREEM twelve;`);
  const whole = await migrate();
  expect(whole.status).toBe(1);
  expect(await streams()).not.toContain('ELEVEN');
  place.write('V000011__fails.sql', `${stream('eleven')}${stream('one')}`);
  const failed = await migrate();
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain('V000011__fails.sql');
  expect(failed.stderr).toContain('ONE');
  expect(await streams()).toContain('ELEVEN');
  // Another one may not go before it, and what is done may not change.
  place.write('V000012__later.sql', stream('later'));
  const client = connect({ url: edge.url });
  await expect(
    client.migrations.apply({ name: 'V000012__later.sql', version: 12, sql: stream('later') }),
  ).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('V000011') });
  place.write('V000011__fails.sql', stream('other'));
  expect((await migrate()).stderr).toContain('did another statement here');
  place.write('V000011__fails.sql', `${stream('eleven')}${stream('twelve')}`);
  const mended = await migrate();
  expect(mended).toMatchObject({ status: 0, stderr: '' });
  expect(mended.stdout).toBe('V000011__fails.sql applied\nV000012__later.sql applied\n');
  expect(await streams()).toEqual(expect.arrayContaining(['ELEVEN', 'TWELVE', 'LATER']));
});

test('a changed file, a missing file and a number out of turn are refused before anything is applied', async () => {
  place.write('V000013__next.sql', stream('thirteen'));
  place.write('V000010__tenth.sql', stream('eleventh'));
  rmSync(place.path('V000012__later.sql'));
  const refused = await migrate();
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('V000010__tenth.sql has changed since it was applied');
  expect(refused.stderr).toContain('V000012__later.sql is applied, and its file is missing');
  expect(await streams()).not.toContain('THIRTEEN');
  place.write('V000010__tenth.sql', stream('ten'));
  place.write('V000012__later.sql', stream('later'));
  place.write('V000003__between.sql', stream('between'));
  const late = await migrate();
  expect(late.status).toBe(1);
  expect(late.stderr).toContain("'V000003__between.sql' comes too late");
  rmSync(place.path('V000003__between.sql'));
  expect((await migrate()).stdout).toBe('V000013__next.sql applied\n');
});

test('two at once apply each statement once', async () => {
  const sql = stream('twice') + stream('thrice');
  const client = connect({ url: edge.url });
  const apply = () => client.migrations.apply({ name: 'V000014__twice.sql', version: 14, sql });
  const answers = await Promise.all([apply(), apply(), apply()]);
  expect(answers.filter(({ applied }) => applied)).toHaveLength(1);
  place.write('V000014__twice.sql', sql);
});

test('an edge that does not answer is told of at once, with the reason, and tried again', async () => {
  let left = 2;
  const proxy = await FaultProxy.start(
    () => edge.url,
    () => (left-- > 0 ? 'lose request' : 'none'),
  );
  try {
    const ended = await place.millrace('migrate', '--url', proxy.url, '@');
    expect(ended).toMatchObject({ status: 0, stdout: 'nothing to apply\n' });
    const told = `millrace: no answer from ${proxy.url} (other side closed); trying for 120 s\n`;
    expect(ended.stderr).toBe(told);
  } finally {
    await proxy.stop();
  }
});

test('names without numbers, numbers twice, and a URL that is none are wrong usage', async () => {
  place.write('notes.sql', '');
  expect(await migrate()).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('notes.sql'),
  });
  rmSync(place.path('notes.sql'));
  place.write('V14__again.sql', '');
  expect((await migrate()).stderr).toContain('have the same number');
  rmSync(place.path('V14__again.sql'));
  expect((await place.millrace('migrate', '@')).stderr).toContain('--url is missing');
  expect((await place.millrace('migrate', '--url', 'nowhere', '@')).stderr).toContain('no URL');
});
