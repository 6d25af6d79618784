// Which requests of an isolate count as under way, and what they count for: by what they are, not by what they say.

import { expect, test } from 'vitest';
import { InFlight, UNCOUNTED } from '../../../edge/guard/in-flight.ts';
import { BODY_BYTES_MAX, REQUESTS_IN_FLIGHT_BYTES_MAX } from '../../../runtime/base/limits.ts';

const EDGE = 'https://edge.example.com';
const RECORDS = '/topics/t/partitions/0/records';

/** None of its turns ends. */
function inFlight(): InFlight {
  return new InFlight({
    nowMs: () => 0,
    turn: () => new Promise(() => undefined),
    later: () => () => undefined,
  });
}

function isCounted(path: string, headers: Record<string, string> = {}): boolean {
  return inFlight().enter(new Request(EDGE + path, { headers })) !== UNCOUNTED;
}

test('a fetch that waits for records and a socket are not counted; whoever says so where nothing waits does work, and is', () => {
  const upgrade = { Upgrade: 'websocket' };
  for (const path of [`${RECORDS}?wait_ms=1`, `${RECORDS}?offset=0&wait_ms=30000`])
    expect(isCounted(path), path).toBe(false);
  for (const path of ['/socket', '/query-socket', '/query-socket?ticket=a', '/under/a/socket'])
    expect(isCounted(path, upgrade), path).toBe(false);
  for (const path of [RECORDS, `${RECORDS}?wait_ms=0`, `${RECORDS}?x_wait_ms=1`, '/socket'])
    expect(isCounted(path), path).toBe(true);
  for (const path of ['/metrics?wait_ms=1', '/queries?x=1&wait_ms=1', '/info?/records?wait_ms=1'])
    expect(isCounted(path), path).toBe(true);
  for (const path of ['/metrics', '/queries?socket', `${RECORDS}?offset=0`])
    expect(isCounted(path, upgrade), path).toBe(true);
});

test('those that have no body take no bytes of one', () => {
  const requests = inFlight();
  const most = REQUESTS_IN_FLIGHT_BYTES_MAX / BODY_BYTES_MAX;
  const enter = (method: string) => requests.enter(new Request(EDGE + RECORDS, { method }));
  for (let i = 0; i <= most; i++) expect(enter('HEAD')).not.toBeNull();
  for (let i = 0; i < most; i++) expect(enter('POST')).not.toBeNull();
  expect(enter('POST')).toBeNull();
});
