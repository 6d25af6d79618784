// The HTTP application of the edge: which route goes where, and what holds for all of them; knows no statement and no record.

import { Hono } from 'hono';
import { RemoteLog } from './adapters/remote-log.ts';
import type { EdgeEnv } from './env.ts';
import { requireOrigin } from './guard/origin.ts';
import type { EdgeHono } from './routes/context.ts';
import { errorResponse, refusal } from './routes/errors.ts';
import { fetchRoutes } from './routes/fetch.ts';
import { ksqlRoutes } from './routes/ksql.ts';
import { produceRoutes } from './routes/produce.ts';
import { queryRoutes } from './routes/query.ts';
import { topicRoutes } from './routes/topics.ts';
import { TopicCache } from './topic-cache.ts';

export interface EdgeOptions {
  /** The tenant of a request; by default all are `default`. Whoever authenticates requests decides here, or throws. */
  readonly tenantOf?: ((request: Request) => string | Promise<string>) | undefined;
  /** Origins of the pages that may ask, exactly as browsers write them; the edge's own is always one. */
  readonly cors?: { readonly origins: readonly string[] } | undefined;
}

/** The Worker: `export default createEdge()`, beside the classes of its objects. */
export function createEdge(options: EdgeOptions = {}): ExportedHandler<EdgeEnv> {
  const app = new Hono<EdgeHono>();
  const topics = new TopicCache();
  const origins: ReadonlySet<string> = new Set(options.cors?.origins);

  app.use(async (c, next) => {
    if (c.req.header('Upgrade') !== undefined) requireOrigin(c.req.raw, origins);
    const tenant = (await options.tenantOf?.(c.req.raw)) ?? 'default';
    c.set('edge', {
      env: c.env,
      tenant,
      log: new RemoteLog({ env: c.env, tenant }),
      topics,
      origins,
    });
    await next();
    c.res.headers.set('X-Content-Type-Options', 'nosniff');
  });
  topicRoutes(app);
  produceRoutes(app);
  fetchRoutes(app);
  ksqlRoutes(app);
  queryRoutes(app);

  const paths = new Set(app.routes.map(({ path }) => path).filter((path) => path !== '/*'));
  for (const path of paths) {
    app.all(path, () =>
      errorResponse(refusal('METHOD_NOT_ALLOWED', 'this path has other methods')),
    );
  }
  app.notFound(() => errorResponse(refusal('NOT_FOUND', 'there is nothing at this path')));
  app.onError((thrown) => errorResponse(thrown));
  return { fetch: (request, env, context) => app.fetch(request, env, context) };
}
