// An edge of two tenants, with the limits that come by themselves.

import { createEdge } from '../../../edge/index.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({
  auth: [
    // The keys are `key-of-a` and `key-of-b`.
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
  ],
});
