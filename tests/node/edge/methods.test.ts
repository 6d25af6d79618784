// Methods that a path does not have: the answer says which it has.

import { expect, test } from 'vitest';
import { send } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

test('another method is 405 with those that the path has, in Allow and in words', async () => {
  await using edge = await Workerd.start();
  const cases = [
    ['PUT', '/topics', 'GET, HEAD, POST'],
    ['PATCH', '/topics/none', 'GET, HEAD, DELETE'],
    ['GET', '/ksql', 'POST'],
    ['OPTIONS', '/query', 'POST'],
    ['DELETE', '/topics/t/partitions/0/records', 'GET, HEAD'],
    ['POST', '/socket', 'GET, HEAD'],
  ] as const;
  for (const [method, path, allow] of cases) {
    const { status, headers, body } = await send(edge, method, path);
    expect([status, headers.get('Allow')]).toEqual([405, allow]);
    expect(body).toMatchObject({ error_code: 40500, message: `this path has ${allow}` });
  }
});
