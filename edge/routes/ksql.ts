// Statements over HTTP, and what tells how the edge stands, in ksqlDB's shapes; the catalog does the work.

import type { Hono } from 'hono';
import { catalogOf } from '../env.ts';
import { answers } from '../guard/answers.ts';
import { VERSION } from '../version.ts';
import { fromWire, unwrap } from '../wire.ts';
import type { EdgeHono } from './context.ts';
import { errorResponse } from './errors.ts';
import { readScript } from './script.ts';

/** ksqlDB's code for a statement that belongs to the query routes. */
const QUERY_ENDPOINT = 40002;

export function ksqlRoutes(app: Hono<EdgeHono>): void {
  app.post('/ksql', async (c) => {
    const script = await readScript(c, 'ksql');
    const { env, tenant } = c.var.edge;
    const { entities, failed } = await unwrap(catalogOf(env, tenant).execute(tenant, script));
    if (failed === null) return c.json(entities);
    const code = failed.isQuery ? QUERY_ENDPOINT : undefined;
    return errorResponse(fromWire(failed.error), { text: failed.text, entities, code });
  });

  /** Beyond ksqlDB: each query with its tasks, their counters and offsets. */
  app.get('/queries', async (c) => {
    const { env, tenant } = c.var.edge;
    const queries = await unwrap(catalogOf(env, tenant).queries(tenant));
    return answers.json({ queries });
  });

  app.get('/info', (c) => {
    const { tenant } = c.var.edge;
    const server = {
      version: VERSION,
      kafkaClusterId: tenant,
      ksqlServiceId: 'millrace',
      serverStatus: 'RUNNING',
    };
    return c.json({ KsqlServerInfo: server });
  });

  app.get('/healthcheck', async (c) => {
    const { env, tenant } = c.var.edge;
    const isHealthy = await unwrap(catalogOf(env, tenant).topics()).then(
      () => true,
      () => false,
    );
    const details = {
      metastore: { isHealthy },
      kafka: { isHealthy },
      commandRunner: { isHealthy },
    };
    return c.json({ isHealthy, details }, isHealthy ? 200 : 503);
  });
}
