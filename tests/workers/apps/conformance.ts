// An edge for the cases of ksqlDB: their functions are registered, and each bearer token is a tenant of its own.

import { createEdge, registerFunctions } from '../../../edge/index.ts';
import { TEST_FUNCTIONS } from '../../conformance/test-functions.ts';

export { Catalog, Partition, Processor, Relay } from '../../../edge/index.ts';

registerFunctions(TEST_FUNCTIONS);

export default createEdge({
  auth(request) {
    const tenant = /^Bearer (\S+)$/.exec(request.headers.get('Authorization') ?? '')?.[1];
    return tenant === undefined ? null : { name: tenant, tenant };
  },
});
