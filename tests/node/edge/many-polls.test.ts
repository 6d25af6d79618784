// Many who wait for the same record, which is as long as may be: all are woken at once, and what is read for them is bounded.

import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

const POLLS = 300;

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
}, 60_000);
afterAll(() => edge.stop());

/** The most that the process has ever taken, in MiB; 0 where the host does not say. */
function peak(): number {
  const path = `/proc/${edge.pid}/status`;
  if (!existsSync(path)) return 0;
  const status = readFileSync(path, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

test('a long record for many long polls that read nothing takes no memory for each; each has it or is refused', async () => {
  await send(edge, 'POST', '/topics', { name: 't', partitions: 1 });
  const { host, hostname, port } = new URL(edge.url);
  const statuses: string[] = [];
  const polls = Array.from({ length: POLLS }, (): Socket => {
    const socket = connect(Number(port), hostname);
    socket.once('data', (data) => {
      statuses.push(data.toString('latin1').slice(9, 12));
      socket.pause();
    });
    socket.write(
      `GET /topics/t/partitions/0/records?offset=0&wait_ms=30000 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    );
    return socket;
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const before = peak();
  const value = 'x'.repeat(VALUE_BYTES_MAX - 2);
  const { status } = await send(edge, 'POST', '/topics/t/records', { records: [{ value }] });
  expect(status).toBe(200);
  await until(async () => statuses.length === POLLS);
  for (const socket of polls) socket.destroy();
  expect(statuses.filter((code) => code !== '200' && code !== '429')).toEqual([]);
  expect(statuses).toContain('200');
  // Each had taken 2.7 MiB.
  expect(peak() - before).toBeLessThan(400);
});
