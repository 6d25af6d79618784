// The second version: a processor's code is another, one has gone, and a statement has come behind those that were there.

import { createEdge } from '../../../edge/index.ts';
import { LARGE, STREAMS, SUMS, tally } from './upgrade-parts.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({ statements: [STREAMS, SUMS, LARGE], processors: [tally('b')] });
