// An edge of one's own: a stream that the code brings along, a function for SQL, and one web page that may ask.

import { scalarFunction } from 'millrace';
import { createEdge } from 'millrace/edge';

export { Catalog, Partition, Processor, Relay } from 'millrace/edge';

export default createEdge<Env>({
  // Who may ask: the keys of the secret MILLRACE_KEYS. Without it only this machine, so that `npm run dev` needs none.
  cors: { origins: ['https://shop.example.com'] },
  statements: [
    `CREATE STREAM orders (id STRING KEY, customer STRING, cents BIGINT)
       WITH (KAFKA_TOPIC='orders', PARTITIONS=4, KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
  ],
  functions: [
    scalarFunction({
      name: 'EUROS',
      parameters: [{ name: 'cents', type: 'BIGINT' }],
      returns: 'STRING',
      call: ([cents]) => `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`,
    }),
  ],
});
