// Many who wait for the same record, which is as long as may be: all are woken at once, and what is read for them is bounded.

import { existsSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { VALUE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

/** The most that the process has ever taken, in MiB; 0 where the host does not say. */
function peak(edge: Workerd): number {
  const path = `/proc/${edge.pid}/status`;
  if (!existsSync(path)) return 0;
  const status = readFileSync(path, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

// Without a bound each takes 2.7 MiB as JSON, and 1.1 as batches.
test.each([
  { type: 'application/json', polls: 300, mostMiB: 400 },
  { type: 'application/vnd.millrace.batches', polls: 500, mostMiB: 300 },
])(
  'a long record as $type for $polls long polls that read nothing takes no memory for each; each has it or is refused',
  async ({ type, polls, mostMiB }) => {
    await using edge = await Workerd.start();
    await send(edge, 'POST', '/topics', { name: 't', partitions: 1 });
    const { host, hostname, port } = new URL(edge.url);
    const statuses: string[] = [];
    const sockets = Array.from({ length: polls }, (): Socket => {
      const socket = connect(Number(port), hostname);
      socket.once('data', (data) => {
        statuses.push(data.toString('latin1').slice(9, 12));
        socket.pause();
      });
      socket.write(
        `GET /topics/t/partitions/0/records?offset=0&wait_ms=30000 HTTP/1.1\r\nHost: ${host}\r\nAccept: ${type}\r\n\r\n`,
      );
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const before = peak(edge);
    const value = 'x'.repeat(VALUE_BYTES_MAX - 2);
    const { status } = await send(edge, 'POST', '/topics/t/records', { records: [{ value }] });
    expect(status).toBe(200);
    await until(async () => statuses.length === polls);
    for (const socket of sockets) socket.destroy();
    expect(statuses.filter((code) => code !== '200' && code !== '429')).toEqual([]);
    expect(statuses).toContain('200');
    expect(peak(edge) - before).toBeLessThan(mostMiB);
  },
);
