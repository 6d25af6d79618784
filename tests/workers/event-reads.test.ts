// How often an event stream of records reads its partition: once an event while it is behind, and with little in hand once it waits.

import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import type { EdgeHono } from '../../edge/routes/context.ts';
import { fetchRoutes } from '../../edge/routes/fetch.ts';
import { FETCH_BYTES_MAX, WOKEN_FETCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';

class NotedLog extends RemoteLog {
  /** Bytes that each read may bring. */
  readonly reads: number[] = [];

  override readOrWait(...args: Parameters<RemoteLog['readOrWait']>) {
    this.reads.push(args[2]);
    return super.readOrWait(...args);
  }

  override readWithinOrWait(...args: Parameters<RemoteLog['readWithinOrWait']>) {
    this.reads.push(args[2]);
    return super.readWithinOrWait(...args);
  }
}

function batchOf(length: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, encodeUtf8(JSON.stringify('x'.repeat(length))), Date.now());
  return builder.finish() ?? new Uint8Array(0);
}

test('one that is behind reads once for each event, and one that waits is woken with little', async () => {
  const log = new NotedLog({ env, tenant: 'event-reads' });
  await log.create({
    name: 't',
    partitions: 1,
    retentionMs: null,
    compacted: false,
    internal: false,
  });
  const at = { topic: 't', partition: 0 };
  for (let i = 0; i < 4; i++) await log.append(at, batchOf(600_000));
  const app = new Hono<EdgeHono>();
  app.use(async (c, next) => {
    c.set('edge', { log } as unknown as EdgeHono['Variables']['edge']);
    await next();
  });
  fetchRoutes(app);
  const headers = { Accept: 'text/event-stream' };
  const path = '/topics/t/partitions/0/records?offset=0&wait_ms=20000';
  const { body } = await app.request(path, { headers }, env);
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const readTo = async (offset: number): Promise<void> => {
    while (!text.includes(`"offset":${offset}`)) text += (await reader?.read())?.value ?? '';
  };
  await readTo(3);
  expect(log.reads).toEqual([1, 2, 3, 4].map(() => FETCH_BYTES_MAX));
  const reading = readTo(4);
  await expect.poll(() => log.reads.length).toBe(5);
  await log.append(at, batchOf(WOKEN_FETCH_BYTES_MAX));
  await reading;
  await reader?.cancel();
  // What is longer than it is brought is read beside.
  expect(log.reads.slice(4)).toEqual([WOKEN_FETCH_BYTES_MAX, FETCH_BYTES_MAX]);
});
