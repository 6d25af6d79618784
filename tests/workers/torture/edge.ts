// The edge as it is deployed, with failpoints: what the torture must find faultless.

import { createEdge } from '../../../edge/index.ts';

export { Catalog } from '../../../edge/index.ts';
export { Partition, Processor } from './failpoints.ts';
export default createEdge();
