// An edge with keys of two tenants, pages of one origin and a function of its own, as a project of one's own would have it.

import { createEdge } from '../../../edge/index.ts';
import { scalarFunction } from '../../../runtime/functions/user-functions.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({
  auth: [
    // The keys are `key-of-a`, `key-of-b`, `old-key` and `busy-key`.
    {
      name: 'a',
      sha256: 'ee063bb3d7270fdf6148f09dde510a5cf346c4aa4dd2ff4b2caec5348d799043',
      tenant: 'a',
    },
    {
      name: 'b',
      sha256: 'caad66a34f6dbd2c56b4fceb13caf74761aba0720534d6e33185edd493ea0f63',
      tenant: 'b',
    },
    {
      name: 'old',
      sha256: '762c08fc17a1cc5f00d248f8b50f2f2f4d17ff2934ac31e64deacb3f5bb3f2ec',
      tenant: 'a',
      expires: '2020-01-01T00:00:00Z',
    },
    {
      name: 'busy',
      sha256: '1ca3d8545324e2ed1d8b3b7186d9a899a2c4b44df296e6f661ba11bdd60d1999',
      tenant: 'a',
    },
  ],
  cors: { origins: ['https://app.example.com'] },
  limits: { requestsSecond: 30, requestsBurst: 400 },
  statements: [
    `CREATE STREAM taken (k STRING KEY, n BIGINT) WITH (KAFKA_TOPIC='taken', PARTITIONS=1, VALUE_FORMAT='JSON', KEY_FORMAT='KAFKA');`,
    `CREATE TABLE doubled AS SELECT k, TWICE(SUM(n)) AS s FROM taken GROUP BY k;`,
  ],
  functions: [
    scalarFunction({
      name: 'TWICE',
      parameters: [{ name: 'n', type: 'BIGINT' }],
      returns: 'BIGINT',
      call: ([n]) => n * 2n,
    }),
  ],
});
