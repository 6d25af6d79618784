// The runner's own judgement: what it lets pass, what it does not, and what it calls not supported; each on a seeded fault.

import { describe, expect, test } from 'vitest';
import { readCases } from '../../conformance/case.ts';
import { readJson } from '../../conformance/json.ts';
import { difference } from '../../conformance/records.ts';
import { type Outcome, runCase } from '../../conformance/run-case.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { kernelModule } from '../../support/kernel-module.ts';

function same(expected: string, actual: string, exact = true): boolean {
  return difference(readJson(expected), readJson(actual), exact) === null;
}

describe('values agree', () => {
  test.each([
    ['1', '1'],
    ['1.9', '1'],
    ['1.50', '1.50'],
    ['"1.50"', '1.50'],
    ['3', '3E0'],
    ['4.6116860184273879E18', '4.611686018427388E18'],
    ['{"a": 1}', '{"A": 1}'],
    ['{"a": null}', '{"A": null}'],
    ['[1, "x", true, null]', '[1, "x", true, null]'],
  ])('%s with %s', (expected, actual) => {
    expect(same(expected, actual)).toBe(true);
  });

  test.each([
    ['1', '2'],
    ['1.5', '1.50'],
    ['30', '30.0'],
    ['"1.5"', '1.50'],
    ['1', '"1"'],
    ['{"a": 1}', '{"A": 1, "B": null}'],
    ['{"a": null, "b": 1}', '{"b": 1}'],
    ['[1, 2]', '[2, 1]'],
    ['[1]', '[1, 2]'],
    ['4.611686018427389E18', '4.611686018427388E18'],
    ['true', 'false'],
    ['null', '0'],
    ['9007199254740993', '9007199254740992'],
  ])('not %s with %s', (expected, actual) => {
    expect(same(expected, actual)).toBe(false);
  });

  test('as doubles where decimals are not exact', () => {
    expect(same('1.5', '1.50000001', false)).toBe(true);
    expect(same('1.5', '1.51', false)).toBe(false);
  });
});

const STATEMENTS = `"statements": [
  "CREATE STREAM S (ID STRING KEY, N INT) WITH (kafka_topic='s', value_format='JSON');",
  "CREATE TABLE T AS SELECT ID, COUNT(*) AS C FROM S GROUP BY ID;"]`;
const INPUT = '{"topic": "s", "key": "a", "value": {"N": 1}, "timestamp": 5}';

async function outcome(members: string): Promise<Outcome> {
  const [one] = readCases('file', `{"tests": [{"name": "n", ${members}}]}`);
  if (one === undefined) throw new TypeError('one case was written');
  const how = { mode: 'normal', path: 'auto', fuse: 'auto' } as const;
  return runCase(one, { ...how, random: seededRandom(1), kernel: kernelModule() });
}

function withOutputs(...outputs: readonly string[]): Promise<Outcome> {
  return outcome(`${STATEMENTS}, "inputs": [${INPUT}], "outputs": [${outputs.join(', ')}]`);
}

describe('a case', () => {
  test('passes when every output is as expected', async () => {
    const output = '{"topic": "T", "key": "a", "value": {"C": 1}, "timestamp": 5}';
    expect(await withOutputs(output)).toEqual({ kind: 'passed' });
  });

  test.each([
    ['another value', '{"topic": "T", "key": "a", "value": {"C": 2}}', 'value: .C: expected 2'],
    ['another key', '{"topic": "T", "key": "b", "value": {"C": 1}}', 'key: expected "b"'],
    ['another time', '{"topic": "T", "key": "a", "value": {"C": 1}, "timestamp": 6}', 'rowtime'],
    [
      'a window',
      '{"topic": "T", "key": "a", "value": {"C": 1}, "window": {"start": 0, "end": 9, "type": "time"}}',
      'window: expected TIME 0..9, got none',
    ],
    [
      'a header',
      '{"topic": "T", "key": "a", "value": {"C": 1}, "headers": [{"KEY": "h", "VALUE": null}]}',
      'headers: expected 1, got 0',
    ],
    ['a topic that nobody writes', '{"topic": "U", "value": 1}', 'the topic U'],
  ])('fails on %s', async (_, output, why) => {
    const found = await withOutputs(output);
    expect(found).toMatchObject({ kind: 'failed', why: expect.stringContaining(why) });
  });

  test('fails on an output too few', async () => {
    const output = '{"topic": "T", "key": "a", "value": {"C": 1}}';
    expect(await withOutputs(output, output)).toMatchObject({
      kind: 'failed',
      why: 'T: expected 2 records, got 1',
    });
  });

  test('fails when nothing is refused that must be', async () => {
    const found = await outcome(`${STATEMENTS}, "expectedException": {"type": "a.KsqlException"}`);
    expect(found).toEqual({ kind: 'failed', why: 'nothing was refused' });
  });

  test.each([
    ['CREATE NOTHING;', 'ParseFailedException', 'passed'],
    ['CREATE NOTHING;', 'KsqlException', 'passed'],
    ['CREATE STREAM T AS SELECT NOPE FROM S;', 'KsqlStatementException', 'passed'],
    ['CREATE STREAM T AS SELECT NOPE FROM S;', 'ParseFailedException', 'failed'],
    ['CREATE STREAM T AS SELECT NO_SUCH(N) FROM S;', 'KsqlException', 'unsupported'],
    [
      "CREATE STREAM T (A INT) WITH (kafka_topic='s', value_format='AVRO');",
      'KsqlException',
      'unsupported',
    ],
  ])('%s, expected as %s: %s', async (sql, type, kind) => {
    const statements = STATEMENTS.replace(/"CREATE TABLE.*"/, () => JSON.stringify(sql));
    const found = await outcome(`${statements}, "expectedException": {"type": "io.${type}"}`);
    expect(found.kind).toBe(kind);
  });

  test('fails when a statement before the last is refused', async () => {
    const early = STATEMENTS.replace('N INT', 'N NO_TYPE');
    const found = await outcome(`${early}, "expectedException": {"type": "io.KsqlException"}`);
    expect(found).toMatchObject({ kind: 'failed', why: expect.stringContaining('too early') });
  });

  test.each([
    ['"type": "table", "schema": "ID STRING KEY, C BIGINT"', 'passed'],
    ['"type": "stream"', 'failed'],
    ['"type": "table", "schema": "ID STRING KEY, C INT"', 'failed'],
    ['"type": "table", "keyFormat": {"format": "KAFKA"}, "valueFormat": "JSON"', 'passed'],
    ['"type": "table", "keyFormat": {"format": "JSON"}', 'failed'],
    ['"type": "table", "keyFormat": {"format": "KAFKA", "windowType": "TUMBLING"}', 'failed'],
  ])('with a source that is to have %s: %s', async (source, kind) => {
    const post = `"post": {"sources": [{"name": "T", ${source}}]}`;
    const found = await outcome(`${STATEMENTS}, "inputs": [], "outputs": [], ${post}`);
    expect(found.kind).toBe(kind);
  });

  test.each([
    ['"blacklist": "^U$"', 'passed'],
    ['"blacklist": "^T$"', 'failed'],
    ['"blacklist": ".*-repartition"', 'passed'],
    ['"topics": [{"name": "T", "keyFormat": {"format": "KAFKA"}, "partitions": 4}]', 'passed'],
    ['"topics": [{"name": "T", "partitions": 2}]', 'failed'],
    ['"topics": [{"name": "T", "valueFormat": {"format": "KAFKA"}}]', 'failed'],
    ['"topics": [{"name": "U"}]', 'failed'],
  ])('with topics that are to be %s: %s', async (topics, kind) => {
    const post = `"post": {"topics": {${topics}}}`;
    const found = await outcome(`${STATEMENTS}, "inputs": [], "outputs": [], ${post}`);
    expect(found.kind).toBe(kind);
  });

  test('with a repartition topic that is not to be fails', async () => {
    const grouped = STATEMENTS.replace('SELECT ID,', 'SELECT N,').replace('BY ID', 'BY N');
    const post = '"post": {"topics": {"blacklist": ".*-repartition"}}';
    const found = await outcome(`${grouped}, "inputs": [], "outputs": [], ${post}`);
    expect(found).toMatchObject({ kind: 'failed', why: expect.stringContaining('there is') });
  });

  test.each([
    ['SELECT column cannot be resolved', { kind: 'passed' }],
    [
      'no such rule',
      {
        kind: 'passed',
        otherwise: 'got UNKNOWN_COLUMN line 2:31: NOPE is not a column of S, expected no such rule',
      },
    ],
  ])('refused for an unknown column where "%s" is expected', async (message, wanted) => {
    const sql = 'CREATE STREAM T AS SELECT ID, NOPE FROM S;';
    const statements = STATEMENTS.replace(/"CREATE TABLE.*"/, () => JSON.stringify(sql));
    const error = `"expectedException": {"type": "io.KsqlException", "message": "${message}"}`;
    expect(await outcome(`${statements}, ${error}`)).toEqual(wanted);
  });
});
