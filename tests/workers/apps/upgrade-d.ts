// A version that nobody should deploy: a statement that was applied is another one.

import { createEdge } from '../../../edge/index.ts';
import { echoed, STREAMS, SUMS, tally } from './upgrade-parts.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

export default createEdge({
  statements: [STREAMS, SUMS.replace('AS n', 'AS many')],
  processors: [tally('d'), echoed],
});
