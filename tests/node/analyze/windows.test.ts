// Windows and ways to emit: their defaults and bounds, and what is refused, with its place.

import { expect, test } from 'vitest';
import type { QueryAnalysis } from '../../../runtime/analyze/analysis.ts';
import { WINDOWS_PER_ROW_MAX } from '../../../runtime/base/limits.ts';
import { Session } from '../plan/session.ts';

const STREAM = `CREATE STREAM s (id INT KEY, b BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');`;
const HOUR = 3_600_000;

function analyzed(window: string, emit = '', properties = {}): QueryAnalysis {
  const session = new Session(properties);
  session.run(STREAM);
  const analysis = session.run(
    `CREATE TABLE x AS SELECT id, COUNT(*) FROM s ${window} GROUP BY id ${emit};`,
  );
  if (analysis.kind !== 'query') throw new Error('a query');
  return analysis;
}

function refusal(window: string, emit = '', properties = {}): string {
  const session = new Session(properties);
  session.run(STREAM);
  return session.refusal(
    `CREATE TABLE x AS SELECT id, COUNT(*) FROM s ${window} GROUP BY id ${emit};`,
  );
}

test.each([
  [
    'WINDOW HOPPING (SIZE 2 HOURS, ADVANCE BY 30 MINUTES)',
    {
      type: 'HOPPING',
      sizeMs: 2 * HOUR,
      advanceMs: HOUR / 2,
      graceMs: 22 * HOUR,
      retentionMs: 24 * HOUR,
    },
  ],
  [
    'WINDOW HOPPING (SIZE 2 HOURS, ADVANCE BY 2 HOURS, RETENTION 9 HOURS, GRACE PERIOD 1 HOUR)',
    {
      type: 'HOPPING',
      sizeMs: 2 * HOUR,
      advanceMs: 2 * HOUR,
      graceMs: HOUR,
      retentionMs: 9 * HOUR,
      expires: true,
    },
  ],
  [
    'WINDOW SLIDING (SIZE 2 HOURS)',
    {
      type: 'SLIDING',
      sizeMs: 2 * HOUR,
      advanceMs: 2 * HOUR,
      graceMs: 22 * HOUR,
      retentionMs: 28 * HOUR + 1,
    },
  ],
  [
    'WINDOW SLIDING (SIZE 2 HOURS, RETENTION 9 HOURS, GRACE PERIOD 1 HOUR)',
    {
      type: 'SLIDING',
      sizeMs: 2 * HOUR,
      advanceMs: 2 * HOUR,
      graceMs: HOUR,
      retentionMs: 9 * HOUR,
      expires: true,
    },
  ],
  [
    'WINDOW SESSION (1 HOUR)',
    { type: 'SESSION', sizeMs: HOUR, advanceMs: HOUR, graceMs: 23 * HOUR, retentionMs: 24 * HOUR },
  ],
  [
    'WINDOW SESSION (30 HOURS, GRACE PERIOD 0 SECONDS)',
    {
      type: 'SESSION',
      sizeMs: 30 * HOUR,
      advanceMs: 30 * HOUR,
      graceMs: 0,
      retentionMs: 30 * HOUR,
    },
  ],
  [
    'WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 2 DAYS)',
    {
      type: 'TUMBLING',
      sizeMs: HOUR,
      advanceMs: HOUR,
      graceMs: 23 * HOUR,
      retentionMs: 48 * HOUR,
      expires: true,
    },
  ],
])('%s', (window, expected) => {
  expect(analyzed(window).aggregation?.window).toEqual(expected);
});

test('a session has no size in the key of its table', () => {
  expect(analyzed('WINDOW SESSION (1 HOUR)').sink?.window).toEqual({
    type: 'SESSION',
    sizeMs: null,
  });
});

test.each([
  [
    'WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 2 HOURS)',
    'INVALID line 1:86: ADVANCE BY is longer than SIZE',
  ],
  ['WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 0 HOURS)', 'INVALID line 1:86: ADVANCE BY is 0'],
  ['WINDOW SLIDING (SIZE 0 HOURS)', 'INVALID line 1:67: SIZE of a window is 0'],
  [
    'WINDOW SLIDING (SIZE 2 HOURS, RETENTION 2 HOURS, GRACE PERIOD 1 HOUR)',
    'INVALID line 1:86: RETENTION is shorter than the window stays open',
  ],
  ['WINDOW SESSION (0 HOURS)', 'INVALID line 1:62: the gap of a session is 0'],
  [
    'WINDOW SESSION (2 HOURS, RETENTION 1 HOUR)',
    'INVALID line 1:81: RETENTION is shorter than the window stays open',
  ],
])('%s is refused', (window, message) => {
  expect(refusal(window)).toBe(message);
});

test('a row is in at most WINDOWS_PER_ROW_MAX windows', () => {
  const window = (size: number): string =>
    `WINDOW HOPPING (SIZE ${size} SECONDS, ADVANCE BY 1 SECOND)`;
  expect(analyzed(window(WINDOWS_PER_ROW_MAX)).aggregation?.window?.sizeMs).toBe(
    WINDOWS_PER_ROW_MAX * 1000,
  );
  expect(refusal(window(WINDOWS_PER_ROW_MAX + 1))).toMatch(
    /^LIMIT line 1:\d+: each row would be in 10001 windows, more than 10000$/,
  );
});

const TUMBLING = 'WINDOW TUMBLING (SIZE 1 HOUR)';

test('how results are shown follows from EMIT and the idle time-out', () => {
  const idle = { 'millrace.idle.timeout.ms': '5000' };
  expect(analyzed(TUMBLING).emission).toBeNull();
  expect(analyzed(TUMBLING, 'EMIT FINAL', idle).emission).toEqual({
    final: true,
    everyMs: null,
    idleMs: 5000,
    cache: null,
  });
  expect(analyzed('', 'EMIT CHANGES EVERY 2 SECONDS').emission).toEqual({
    final: false,
    everyMs: 2000,
    idleMs: null,
    cache: null,
  });
});

test('an idle time-out of 0 is none', () => {
  expect(analyzed(TUMBLING, '', { 'millrace.idle.timeout.ms': '0' }).emission).toBeNull();
});

test.each([
  'cache.max.bytes.buffering',
  'ksql.streams.cache.max.bytes.buffering',
  'ksql.streams.statestore.cache.max.bytes',
])('the property %s gives an aggregation a cache, unless it is 0', (property) => {
  const given = { [property]: '1000' };
  expect(analyzed(TUMBLING, '', { [property]: '0' }).emission).toBeNull();
  expect(analyzed(TUMBLING, '', given).emission).toMatchObject({
    cache: { blockOffsets: 4096, intervalMs: 2000 },
  });
  const often = { ...given, 'ksql.streams.commit.interval.ms': '50' };
  expect(analyzed(TUMBLING, '', often).emission).toMatchObject({ cache: { intervalMs: 50 } });
  // What is final, or held back for a period, has none.
  expect(analyzed(TUMBLING, 'EMIT FINAL', given).emission).toMatchObject({ cache: null });
});

test('only what replaces rows is coalesced', () => {
  const session = new Session();
  session.run(STREAM);
  expect(session.refusal('SELECT * FROM s EMIT CHANGES EVERY 1 SECOND;')).toBe(
    'INVALID line 1:36: EMIT CHANGES EVERY over a stream without GROUP BY',
  );
});
