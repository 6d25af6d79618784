// What wrangler deploys: the edge as it comes, for one tenant.

import { createEdge } from './index.ts';

export { Catalog, Partition, Processor, Relay } from './index.ts';
export default createEdge();
