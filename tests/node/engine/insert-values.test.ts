// INSERT VALUES through the engine: functions are computed when the statement is carried out.

import { expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { open } from '../../../runtime/engine/open.ts';
import { ManualClock } from '../../../runtime/memory/manual-clock.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';

const STREAM = `CREATE STREAM s (k STRING KEY, made BIGINT, chance DOUBLE, text STRING)
  WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');`;

test('UNIX_TIMESTAMP and RANDOM in VALUES are those of the moment', async () => {
  const clock = new ManualClock(1_767_225_600_000);
  await using engine = await open({ host: memoryHost({ clock }) });
  await engine.execute(STREAM);
  const insert =
    "INSERT INTO s (k, made, chance, text) VALUES ('a', UNIX_TIMESTAMP() + 1, RANDOM(), UCASE('b'));";
  await engine.execute(insert);
  clock.advanceTo(1_767_225_601_000);
  await engine.execute(insert);
  const records = await engine.topicRecords('s', { partition: 0 });
  const values = records.map(({ value }) => JSON.parse(decodeUtf8(value ?? new Uint8Array())));
  expect(values).toEqual([
    { MADE: 1_767_225_600_001, CHANCE: expect.any(Number), TEXT: 'B' },
    { MADE: 1_767_225_601_001, CHANCE: expect.any(Number), TEXT: 'B' },
  ]);
  for (const { CHANCE } of values) {
    expect(CHANCE).toBeGreaterThanOrEqual(0);
    expect(CHANCE).toBeLessThan(1);
  }
  expect(records.map(({ timestamp }) => timestamp)).toEqual([1_767_225_600_000, 1_767_225_601_000]);
});
