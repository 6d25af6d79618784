// What the command says when something is wrong, where it says it, and with which status it ends.

import { afterAll, describe, expect, test } from 'vitest';
import { LINE_BYTES_MAX, VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { resultLines, Workplace } from './command.ts';

const workplace = new Workplace();
afterAll(() => workplace.remove());

const APP = `CREATE STREAM s (id STRING KEY, n BIGINT, t STRING)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
CREATE STREAM copy AS SELECT * FROM s;`;

async function feed(lines: string, ...options: readonly string[]) {
  workplace.write('app.sql', APP);
  workplace.write('s.ndjson', lines);
  return workplace.millrace('run', '@app.sql', '--input', 's=@s.ndjson', ...options);
}

describe('lines that are no records', () => {
  test('are told with file and line, counted and skipped', async () => {
    const lines = [
      '{"id":"a","n":1}',
      'nothing like JSON',
      '{"id":"b","n":"two"}',
      '[1]',
      'null',
      '{"id":"c","n":9223372036854775808}',
      '{"id":"d","rowtime":-1}',
      '{"id":"e","n":2',
      '{"id":"f","n":6}',
    ].join('\n');
    const ended = await feed(lines, '--stats', '@stats.json');
    expect(ended.status).toBe(0);
    expect(ended.stderr.split('\n').map((line) => line.split(' ', 1)[0])).toEqual([
      's.ndjson:2:',
      's.ndjson:3:',
      's.ndjson:4:',
      's.ndjson:5:',
      's.ndjson:6:',
      's.ndjson:7:',
      's.ndjson:8:',
      'millrace:',
      '',
    ]);
    expect(ended.stderr).toContain('s.ndjson:3: N: "two" is no BIGINT');
    expect(resultLines(ended).map(({ key }) => key['ID'])).toEqual(['a', 'f']);
    expect(JSON.parse(workplace.read('stats.json'))).toMatchObject({
      topics: { s: { in: 2, skipped: 7 } },
    });
  });

  test('bytes that are not UTF-8 spoil their line only', async () => {
    workplace.write('app.sql', APP);
    const good = Buffer.from('{"id":"a"}\n{"id":"b","t":"');
    const bytes = Buffer.concat([good, Buffer.of(0xff, 0xfe), Buffer.from('"}\n{"id":"c"}\n')]);
    workplace.write('s.ndjson', bytes);
    const ended = await workplace.millrace('run', '@app.sql', '--input', 's=@s.ndjson');
    expect(resultLines(ended).map(({ key }) => key['ID'])).toEqual(['a', 'c']);
    expect(ended.stderr).toContain('s.ndjson:2: T: JSON that is not UTF-8');
  });

  test('a row of a table needs its key', async () => {
    workplace.write(
      'table.sql',
      `CREATE TABLE s (id STRING PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
       CREATE TABLE u AS SELECT * FROM s;`,
    );
    workplace.write('s.ndjson', '{"n":1}\n{"id":"a","n":2}\n');
    const ended = await workplace.millrace('run', '@table.sql', '--input', 's=@s.ndjson');
    expect(ended.stderr).toContain('s.ndjson:1: a row of S needs ID');
    expect(resultLines(ended).map(({ key }) => key['ID'])).toEqual(['a']);
  });
});

describe('the length of a line', () => {
  const padded = (bytes: number): string => `{"id":"a"${' '.repeat(bytes - 10)}}`;

  test('may be the greatest, and one byte more is refused without ending the run', async () => {
    const lines = [padded(LINE_BYTES_MAX), padded(LINE_BYTES_MAX + 1), '{"id":"b"}'].join('\n');
    const ended = await feed(lines);
    expect(resultLines(ended).map(({ key }) => key['ID'])).toEqual(['a', 'b']);
    expect(ended.stderr).toContain(`s.ndjson:2: the line is longer than ${LINE_BYTES_MAX} bytes`);
  });

  test('bounds the value too, which has a limit of its own', async () => {
    const withText = (length: number): string => `{"id":"a","t":"${'x'.repeat(length)}"}`;
    const fits = VALUE_BYTES_MAX - '{"N":null,"T":""}'.length;
    const ended = await feed(`${withText(fits)}\n${withText(fits + 1)}\n`);
    expect(resultLines(ended)).toHaveLength(1);
    expect(ended.stderr).toContain(`s.ndjson:2: a value of ${VALUE_BYTES_MAX + 1} bytes`);
  });
});

describe('statements', () => {
  test('are refused with line, column, the line itself and a hint', async () => {
    workplace.write('bad.sql', `${APP}\n\tCREATE STREAM u AS SELECT nope FROM s;\n`);
    const ended = await workplace.millrace('run', '@bad.sql');
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr.split('\n').slice(0, 3)).toEqual([
      'bad.sql:4:28: NOPE is not a column of S',
      '  \tCREATE STREAM u AS SELECT nope FROM s;',
      `  \t${' '.repeat(26)}^`,
    ]);
    expect(ended.stderr).toContain('The columns are ID, N, T');
  });

  test('with errors of syntax are all told, and none is run', async () => {
    workplace.write('bad.sql', `${APP}\nCREATE STREM x;\nSHOW STREAMS;\nSELECT 1 +;\n`);
    const ended = await workplace.millrace('run', '@bad.sql');
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    const places = ended.stderr.match(/^bad\.sql:\d+:\d+/gm);
    expect(places).toEqual(['bad.sql:4:8', 'bad.sql:6:11']);
  });

  test('a pull query of what no query keeps is refused', async () => {
    workplace.write(
      'bad.sql',
      `${APP}\nCREATE TABLE u (id STRING PRIMARY KEY) WITH (KAFKA_TOPIC='u', PARTITIONS=1, VALUE_FORMAT='JSON');\nSELECT * FROM u;`,
    );
    const ended = await workplace.millrace('run', '@bad.sql');
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^bad\.sql:5:/);
  });
});

test('a push query that fails is told, and the command fails with it', async () => {
  const more = `SELECT * FROM r EMIT CHANGES; DROP STREAM r DELETE TOPIC;`;
  const r = `CREATE STREAM r (id STRING KEY, n INT) WITH (KAFKA_TOPIC='r', PARTITIONS=1, VALUE_FORMAT='JSON');`;
  workplace.write('app.sql', `${APP} ${r} ${more}`);
  workplace.write('s.ndjson', '{"id":"a"}\n');
  const ended = await workplace.millrace('run', '@app.sql', '--input', 's=@s.ndjson');
  expect(ended.status).toBe(1);
  expect(resultLines(ended).map(({ source }) => source)).toEqual(['COPY']);
  expect(ended.stderr).toMatch(/^millrace: TRANSIENT_R_\d+_\d+ ended: .*'r'/);
});

describe('wrong usage ends with status 2', () => {
  test.each([
    ['no command', [], 'a command is missing'],
    ['another command', ['walk'], "there is no command 'walk'"],
    ['no SQL file', ['run'], 'the SQL file is missing'],
    ['two SQL files', ['run', '@app.sql', 'b.sql'], "not also 'b.sql'"],
    ['an unknown option', ['run', '@app.sql', '--speed', '9'], "Unknown option '--speed'"],
    ['no Workers', ['run', '@app.sql', '--workers', '0'], "from 1 to 16, not '0'"],
    ['more Workers than may be', ['run', '@app.sql', '--workers', '17'], "not '17'"],
    ['an option without its value', ['run', '@app.sql', '--stats'], '--stats'],
    ['an input without a file', ['run', '@app.sql', '--input', 's'], "TOPIC=FILE, not 's'"],
    ['an SQL file that is not there', ['run', '@none.sql'], 'there is no file none.sql'],
    [
      'a missing input',
      ['run', '@app.sql', '--input', 's=@none.ndjson'],
      'there is no file none.ndjson',
    ],
    [
      'an unknown topic',
      ['run', '@app.sql', '--input', 't=@app.sql'],
      "over a topic 't'; there is s",
    ],
    ['a folder for a file', ['run', '@app.sql', '--input', 's=@.'], 'is a folder'],
    [
      'a place where nothing can be',
      ['run', '@app.sql', '--stats', '@no/stats.json'],
      'cannot write',
    ],
    ['an unknown output', ['run', '@app.sql', '--output', 'x'], "topic 'x'"],
  ])('%s', async (_, args, message) => {
    workplace.write('app.sql', APP);
    const ended = await workplace.millrace(...args);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toContain('millrace --help');
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });

  test('a windowed table takes no lines', async () => {
    workplace.write(
      'windowed.sql',
      `${APP} CREATE TABLE w AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id;`,
    );
    const ended = await workplace.millrace('run', '@windowed.sql', '--input', 'W=@app.sql');
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain('its key is windowed');
  });
});

test('the status of the process is that of the command, and results come through a pipe', async () => {
  workplace.write('app.sql', APP);
  workplace.write('s.ndjson', '{"id":"a"}\nnothing\n');
  const ended = await workplace.process('run', 'app.sql', '--input', 's=s.ndjson');
  expect(ended.status).toBe(0);
  expect(resultLines(ended)).toHaveLength(1);
  expect(ended.stderr).toMatch(/^s\.ndjson:2: /);
  expect((await workplace.process('run')).status).toBe(2);
});

test('--help and --version say what they are for', async () => {
  const help = await workplace.millrace('--help');
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(help.stdout).toContain('millrace run');
  const version = await workplace.millrace('--version');
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
