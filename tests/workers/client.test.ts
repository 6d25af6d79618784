// The client within workerd, over a fetch that it is given: what it appends it reads and asks for.

import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { createEdge } from '../../edge/index.ts';
import { connect } from '../../runtime/client/index.ts';

const served = createEdge();

const edge = connect({
  url: 'http://localhost',
  fetch: async (url, init) => {
    // As the platform hands it over: with properties of the connection, which nothing here reads.
    const request = new Request(url, init) as Request<unknown, IncomingRequestCfProperties>;
    return served.fetch(request, env, createExecutionContext());
  },
});

test('a Worker produces, consumes and asks', async () => {
  await edge.execute(
    `CREATE STREAM seen (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='seen', PARTITIONS=2, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
  );
  const producer = edge.producer();
  const sent = Array.from({ length: 20 }, (_, i) =>
    producer.send('seen', { key: `k${i % 3}`, value: `{"N": ${i}}` }),
  );
  const places = await Promise.all(sent);
  await producer.close();
  const seen = new Set<string>();
  for await (const { partition, offset } of edge.consumer({ topic: 'seen' })) {
    seen.add(`${partition}/${offset}`);
    if (seen.size === places.length) break;
  }
  expect(seen).toEqual(new Set(places.map(({ partition, offset }) => `${partition}/${offset}`)));
  const properties = { 'auto.offset.reset': 'earliest' };
  const rows = await edge.query('SELECT n FROM seen EMIT CHANGES LIMIT 20;', { properties });
  const numbers = (await rows.all()).map((row) => Number(row['N']));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(sent.map((_, i) => i));
});
