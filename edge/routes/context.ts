// What every route is given: the tenant of the request and the log; made once a request by worker.ts.

import type { Context } from 'hono';
import type { RemoteLog } from '../adapters/remote-log.ts';
import type { Calls } from '../calls.ts';
import type { EdgeEnv } from '../env.ts';
import type { Bodies } from '../guard/bodies.ts';
import type { Principal } from '../guard/principal.ts';
import type { TopicCache } from '../topic-cache.ts';

/** The request's tenant and what it may use. */
export interface Edge {
  readonly env: EdgeEnv;
  readonly tenant: string;
  readonly log: RemoteLog;
  readonly topics: TopicCache;
  readonly bodies: Bodies;
  readonly calls: Calls;
}

export interface EdgeHono {
  Bindings: EdgeEnv;
  Variables: { edge: Edge; principal: Principal };
}

export type EdgeContext = Context<EdgeHono>;
