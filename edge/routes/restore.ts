// POST /restore: topics, tasks or everything are put back to an earlier time, or were by hand; knows no storage.

import type { Hono } from 'hono';
import { catalogOf, type RestoreOrder } from '../env.ts';
import { isPartitionNumber } from '../names.ts';
import { unwrap } from '../wire.ts';
import { isObject, readOrder } from './body.ts';
import type { EdgeHono } from './context.ts';
import { refusal } from './errors.ts';

export function restoreRoutes(app: Hono<EdgeHono>): void {
  app.post('/restore', async (c) => {
    const { env, tenant } = c.var.edge;
    const order = orderOf(await readOrder(c));
    return c.json(await unwrap(catalogOf(env, tenant).restore(tenant, order)));
  });
}

function orderOf(given: unknown): RestoreOrder {
  if (!isObject(given)) throw wrong();
  const { topic, partition = null, query, all, toMs = null, ...others } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refusal('BAD_REQUEST', `a restore has no member '${unknown}'`);
  if (!isTime(toMs)) throw refusal('BAD_REQUEST', 'toMs is ms since the Unix epoch, or null');
  if (toMs !== null && toMs > Date.now()) throw refusal('BAD_REQUEST', 'toMs lies in the future');
  if ([topic, query, all].filter((one) => one !== undefined).length !== 1) throw wrong();
  if (partition !== null && topic === undefined) throw wrong();
  if (typeof topic === 'string') {
    if (partition === null) return { what: 'topic', topic, partition, toMs };
    if (typeof partition !== 'number' || !isPartitionNumber(partition))
      throw refusal('BAD_REQUEST', 'partition is a number of a partition');
    return { what: 'topic', topic, partition, toMs };
  }
  if (all === true) return { what: 'all', toMs };
  if (typeof query !== 'string') throw wrong();
  // Its epoch follows the clock: nobody need be told.
  if (toMs === null) throw refusal('BAD_REQUEST', 'a query is put back to a time, toMs');
  return { what: 'query', query, toMs };
}

function isTime(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

function wrong(): Error {
  const one = 'one of {"topic", "partition"?}, {"query"} and {"all": true}, with "toMs"';
  return refusal('BAD_REQUEST', `send ${one}`);
}
