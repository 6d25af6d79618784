// Record batches that whoever writes them lends to the log in memory, and writes over: the log has copies.

import { expect, test } from 'vitest';
import { FETCH_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { singleRecord } from '../../../runtime/data/record-builder.ts';
import { openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const TOPIC = { name: 't', partitions: 1, retentionMs: null, compacted: false, internal: false };
const AT = { topic: 't', partition: 0 };

test('a batch of copiedBytesMax is the log’s own once it was appended, one byte more is kept as it is', async () => {
  const { log } = memoryHost();
  await log.create(TOPIC);
  const overhead = singleRecord(null, new Uint8Array(0), 1).length;
  for (const more of [0, 1]) {
    const value = new Uint8Array(log.copiedBytesMax - overhead + more).fill(7);
    const bytes = singleRecord(null, value, 1);
    expect(bytes.length).toBe(log.copiedBytesMax + more);
    await log.append(AT, bytes);
    const before = bytes.slice();
    bytes.fill(0);
    const { batches } = await log.read(AT, more, FETCH_BYTES_MAX);
    expect(batches[0]?.bytes).toEqual(more === 0 ? before : bytes);
  }
});

test('what several turns write before one commit are batches of their own', async () => {
  const host = memoryHost({ commitIntervalMs: 60_000 });
  await host.log.create({ ...TOPIC, name: 'long' });
  const count = 9;
  for (let n = 0; n < count; n++) {
    // Each takes a turn of its own: no two fit into what is fetched at once.
    const value = encodeUtf8(JSON.stringify({ n, pad: 'x'.repeat(FETCH_BYTES_MAX * 0.6) }));
    await host.log.append({ topic: 'long', partition: 0 }, singleRecord(null, value, n + 1));
  }
  await using engine = await openEngine({ host });
  await engine.execute(`SET 'auto.offset.reset' = 'earliest';
    CREATE STREAM long (n INT) WITH (KAFKA_TOPIC='long', VALUE_FORMAT='JSON');
    CREATE STREAM short WITH (KAFKA_TOPIC='short') AS SELECT n FROM long;`);
  await engine.idle();
  const written = await engine.topicRecords('short');
  const texts = written.map(({ value }) => new TextDecoder().decode(value ?? undefined));
  expect(texts).toEqual(Array.from({ length: count }, (_, n) => `{"N":${n}}`));
  const { batches } = await host.log.read({ topic: 'short', partition: 0 }, 0, FETCH_BYTES_MAX);
  expect(batches.length).toBeGreaterThan(count / 2);
});
