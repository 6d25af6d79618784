// GET /metrics: what the tenant's objects and this Worker count, as Prometheus reads it; knows no object.

import type { Hono } from 'hono';
import { Collector } from '../metrics/collect.ts';
import { Exposition, EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { RequestCounts } from '../metrics/requests.ts';
import type { EdgeHono } from './context.ts';
import { integerOf } from './parameters.ts';

export function metricsRoutes(app: Hono<EdgeHono>, requests: RequestCounts): void {
  app.get('/metrics', async (c) => {
    const { env, tenant } = c.var.edge;
    const page = integerOf(c.req.query('page') ?? '0', 'page');
    const to = new Exposition();
    await new Collector(env, tenant, to).page(page);
    if (page === 0) requests.write(to);
    return c.body(to.text(), 200, { 'Content-Type': EXPOSITION_TYPE });
  });
}
