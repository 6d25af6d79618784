// Long pages of record batches over HTTP on plain workerd: as long as they were asked for, and no record twice or not at all.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { PAGE_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { parseRecordBatch } from '../../../runtime/data/record.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;
beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

test('a reader of batches may ask for a long page, and gets what follows in the next one', async () => {
  const name = 'long';
  expect((await send(edge, 'POST', '/topics', { name })).status).toBe(201);
  const value = new Uint8Array(500_000).fill(0x20);
  const path = `/topics/${name}/partitions/0`;
  const batches = 12;
  for (let i = 0; i < batches; i++) {
    const { status } = await fetch(`${edge.url}${path}/batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/vnd.millrace.batch' },
      body: singleRecord(null, value, 1_000 + i),
    });
    expect(status).toBe(200);
  }
  const headers = { Accept: 'application/vnd.millrace.batches' };
  const lengths: number[] = [];
  let next = 0;
  while (next < batches) {
    const asked = `${path}/records?offset=${next}&max_bytes=${PAGE_BYTES_MAX}`;
    const answer = await fetch(`${edge.url}${asked}`, { headers });
    expect(answer.headers.get('Millrace-High-Watermark')).toBe(String(batches));
    const page = new Uint8Array(await answer.arrayBuffer());
    lengths.push(page.length);
    const view = new DataView(page.buffer);
    for (let at = 0; at < page.length; next++) {
      expect(view.getFloat64(at, true)).toBe(next);
      const length = view.getUint32(at + 12, true);
      expect(parseRecordBatch(page.slice(at + 16, at + 16 + length)).timestamps[0]).toBe(
        1_000 + next,
      );
      at += 16 + length;
    }
  }
  expect(lengths).toHaveLength(2);
  expect(lengths[0]).toBeGreaterThan(PAGE_BYTES_MAX * 0.9);
  expect(lengths[0]).toBeLessThanOrEqual(PAGE_BYTES_MAX + 8 * 16);
  const tooLong = await fetch(`${edge.url}${path}/records?max_bytes=${PAGE_BYTES_MAX + 1}`, {
    headers,
  });
  expect(tooLong.status).toBe(400);
});
