// A version that nobody should deploy: the state of a processor has other columns.

import { createEdge } from '../../../edge/index.ts';
import { processor, table } from '../../../runtime/functions/user-processor.ts';
import { echoed, STREAMS, SUMS } from './upgrade-parts.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

const wider = processor({
  name: 'tally',
  inputs: ['bets'],
  outputs: { alerts: 'alerts' },
  state: { totals: table({ key: { user: 'STRING' }, value: { n: 'BIGINT', total: 'DOUBLE' } }) },
  process: () => undefined,
});

export default createEdge({ statements: [STREAMS, SUMS], processors: [wider, echoed] });
