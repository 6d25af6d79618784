// GET /metrics: what the tenant's objects and this Worker count, as Prometheus reads it; knows no object.

import type { Hono } from 'hono';
import { answers } from '../guard/answers.ts';
import { Collector } from '../metrics/collect.ts';
import { Exposition, EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { RequestCounts } from '../metrics/requests.ts';
import { pushRoom } from '../push-room.ts';
import type { EdgeHono } from './context.ts';
import { integerOf } from './parameters.ts';

export function metricsRoutes(app: Hono<EdgeHono>, requests: RequestCounts): void {
  app.get('/metrics', async (c) => {
    const { env, tenant, bodies } = c.var.edge;
    const page = integerOf(c.req.query('page') ?? '0', 'page');
    const to = new Exposition();
    await new Collector(env, tenant, to).page(page);
    if (page === 0) {
      requests.write(to);
      to.add('millrace_http_answers_held_bytes', [], answers.bytes);
      to.add('millrace_push_queries_held_bytes', [], pushRoom.bytes);
      to.add('millrace_http_slow_bodies', [], bodies.slowBodies);
    }
    return answers.page(to.text(), EXPOSITION_TYPE);
  });
}
