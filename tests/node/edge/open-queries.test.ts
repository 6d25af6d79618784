// How many push queries run in one isolate: as many as the limit, and another one once one has ended.

import { expect, test } from 'vitest';
import { OpenQueries } from '../../../edge/open-queries.ts';
import { PUSH_QUERIES_MAX } from '../../../runtime/base/limits.ts';

test('there is room for PUSH_QUERIES_MAX, and for one more each time that one ends', () => {
  const queries = new OpenQueries();
  const [leave] = Array.from({ length: PUSH_QUERIES_MAX }, () => queries.enter());
  const refused = expect.objectContaining({ name: 'PortError', code: 'OVERLOADED' });
  expect(() => queries.enter()).toThrow(refused);
  leave?.();
  leave?.();
  queries.enter();
  expect(() => queries.enter()).toThrow(refused);
});
