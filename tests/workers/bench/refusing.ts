// A Worker that refuses everything without a look at it: the least that a refusal costs on the platform; its objects are never asked.

import type { EdgeEnv } from '../../../edge/env.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

const BODY = JSON.stringify({ '@type': 'generic_error', error_code: 42900, code: 'OVERLOADED' });
const INIT = { status: 429, headers: { 'Content-Type': 'application/json', 'Retry-After': '1' } };

export default { fetch: () => new Response(BODY, INIT) } satisfies ExportedHandler<EdgeEnv>;
