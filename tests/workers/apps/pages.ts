// An edge with a key that lets the pages of origins ask which its environment names, with spaces between them.

import { env } from 'cloudflare:workers';
import { createEdge } from '../../../edge/index.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({
  // The key is `key-of-a`.
  auth: [
    { name: 'page', sha256: 'ee063bb3d7270fdf6148f09dde510a5cf346c4aa4dd2ff4b2caec5348d799043' },
  ],
  cors: { origins: (env as unknown as { PAGES: string }).PAGES.split(' ') },
});
