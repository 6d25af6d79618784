// The first version of an application, which another one takes the place of.

import { createEdge } from '../../../edge/index.ts';
import { echoed, STREAMS, SUMS, tally } from './upgrade-parts.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({ statements: [STREAMS, SUMS], processors: [tally('a'), echoed] });
