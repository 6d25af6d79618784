// The command `millrace restore` against plain workerd, which keeps no earlier states, and what its arguments may be.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArguments, UsageError } from '../../../cli/arguments.ts';
import { connect } from '../../../runtime/client/index.ts';
import { Workerd } from '../../support/workerd.ts';
import { Workplace } from './command.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
  await connect({ url: edge.url }).execute(
    `CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, FORMAT='JSON');
     CREATE TABLE t AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;`,
  );
});
afterAll(() => edge.stop());

const place = new Workplace();
afterAll(() => place.remove());

const restore = (...more: string[]) => place.millrace('restore', '--url', edge.url, ...more);

test('what is put back by hand is announced, topic by topic and task by task', async () => {
  const topic = await restore('--topic', 's');
  expect(topic).toMatchObject({ status: 0, stderr: '' });
  expect(topic.stdout).toMatch(/^topic s announced, incarnation \S+\n$/);
  const { incarnation } = await connect({ url: edge.url }).topics.describe('s');
  expect(topic.stdout).toContain(incarnation);
  const all = await restore('--all');
  expect(all).toMatchObject({ status: 0, stderr: '' });
  expect(all.stdout.split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^topic s announced/),
      expect.stringMatching(/^topic T announced/),
      'task CTAS_T_2/0/0 told again',
      'task CTAS_T_2/0/1 told again',
    ]),
  );
});

test('a refusal is told with what to do, and is no success', async () => {
  const unkept = await restore('--all', '--to', '2026-01-01T00:00:00Z');
  expect(unkept).toMatchObject({ status: 1, stdout: '' });
  expect(unkept.stderr).toContain('the state of 2026-01-01T00:00:00.000Z is not to be had here');
  expect(unkept.stderr).toContain('\n  Where objects are files');
  const unknown = await restore('--topic', 'nowhere');
  expect(unknown).toMatchObject({ status: 1, stdout: '' });
  expect(unknown.stderr).toContain("'nowhere'");
  const future = await restore('--all', '--to', String(Number.MAX_SAFE_INTEGER));
  expect(future).toMatchObject({ status: 1, stdout: '' });
  expect(future.stderr).toContain('toMs lies in the future');
});

/** Answers each request with that. */
async function answering(status: number, body: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

test('what an edge puts back is told, and what is left to put back is no success', async () => {
  const named = { topics: [{ name: 's', incarnation: '5-x' }], tasks: ['Q/0/0'], ended: ['O/0/0'] };
  await using host = await answering(200, JSON.stringify({ ...named, newer: ['N/0/0'] }));
  expect(await place.millrace('restore', '--url', host.url, '--all', '--to', '1')).toEqual({
    status: 1,
    stdout:
      'topic s put back, incarnation 5-x\ntask Q/0/0 put back\ntask O/0/0 ended: no statement speaks of it\n',
    stderr: 'millrace: task N/0/0 runs a newer plan than the catalog has: put it back too\n',
  });
});

test('what is no edge, or does not answer, is told', async () => {
  await using host = await answering(200, '<html>');
  const other = await place.millrace('restore', '--url', host.url, '--all');
  expect(other).toMatchObject({ status: 1, stdout: '' });
  expect(other.stderr).toContain('is no edge (status 200)');
  const silent = await place.millrace('restore', '--url', 'http://127.0.0.1:1', '--all');
  expect(silent).toMatchObject({ status: 1, stdout: '' });
  expect(silent.stderr).toContain('no answer from http://127.0.0.1:1');
});

test('orders that say nothing, or too much, are refused before anything is asked', () => {
  const at = ['restore', '--url', 'http://edge'];
  for (const wrong of [
    [],
    ['--all', '--topic', 's'],
    ['--all', '--partition', '1'],
    ['--topic', 's', '--partition', 'x'],
    ['--query', 'Q'],
    ['--all', '--to', 'yesterday'],
    ['--all', '--to', '2026-01-01T00:00:00'],
    ['--all', 's'],
  ])
    expect(() => readArguments([...at, ...wrong]), wrong.join(' ')).toThrow(UsageError);
  expect(() => readArguments(['restore', '--all'])).toThrow('--url');
  expect(readArguments([...at, '--topic', 's', '--partition', '3', '--to', '12'])).toMatchObject({
    order: { topic: 's', partition: 3, toMs: 12 },
  });
  expect(readArguments([...at, '--query', 'Q', '--to', '2026-01-01T01:00:00+01:00'])).toMatchObject(
    { order: { query: 'Q', toMs: Date.UTC(2026, 0, 1) } },
  );
});
