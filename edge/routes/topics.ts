// Topics over HTTP: list, describe, create, remove, look up offsets; knows no record.

import type { Hono } from 'hono';
import { StatementError } from '../../runtime/base/errors.ts';
import {
  NAME_LENGTH_MAX,
  PARTITIONS_MAX,
  TIMESTAMP_AFTER_MS_MAX,
} from '../../runtime/base/limits.ts';
import type { TopicSpec } from '../../runtime/ports/log.ts';
import { answers } from '../guard/answers.ts';
import { inLanes } from '../lanes.ts';
import { isTopicName } from '../names.ts';
import { isObject, readOrder } from './body.ts';
import type { EdgeHono } from './context.ts';
import { refusal } from './errors.ts';
import { integerOf, parametersOf } from './parameters.ts';

export function topicRoutes(app: Hono<EdgeHono>): void {
  app.get('/topics', async (c) => {
    const topics = await c.var.edge.log.list();
    return answers.json({ topics });
  });

  app.post('/topics', async (c) => {
    const spec = specOf(await readOrder(c));
    return c.json(await c.var.edge.log.create(spec), 201);
  });

  app.get('/topics/:topic', async (c) => {
    const { log, topics, env, tenant } = c.var.edge;
    const name = c.req.param('topic');
    const topic = await topics.describeAnew(env, tenant, name);
    const usages = () =>
      inLanes(Array(topic.partitions).keys(), (partition) => log.usage({ topic: name, partition }));
    let known = topic;
    let found = await usages();
    if (found.some(({ incarnation }) => incarnation !== topic.incarnation)) {
      known = await topics.realigned(env, tenant, name);
      found = await usages();
    }
    const bounds = found.map(({ start, highWatermark, storageBytes, storage }, partition) => {
      return { partition, start, highWatermark, storageBytes, storage };
    });
    return c.json({ ...known, bounds });
  });

  app.get('/topics/:topic/partitions/:partition/offsets', async (c) => {
    const partition = integerOf(c.req.param('partition'), 'partition');
    const at = { topic: c.req.param('topic'), partition };
    const { log } = c.var.edge;
    const { timestamp } = parametersOf(c, ['timestamp']);
    const bounds = await log.bounds(at);
    if (timestamp === undefined) return c.json(bounds);
    const offset = await log.offsetForTime(at, integerOf(timestamp, 'timestamp'));
    return c.json({ offset, ...bounds });
  });

  app.delete('/topics/:topic', async (c) => {
    const { log, topics, env, tenant } = c.var.edge;
    const topic = await topics.describeAnew(env, tenant, c.req.param('topic'));
    if (topic.internal)
      throw new StatementError('IN_USE', `topic '${topic.name}' is millrace's own`);
    await log.remove(topic.name);
    return c.body(null, 204);
  });
}

/** What a new topic may be given. */
const MEMBERS = [
  'name',
  'partitions',
  'retentionMs',
  'retentionBytes',
  'compacted',
  'deleteRetentionMs',
  'timestampType',
  'timestampAfterMaxMs',
];

function specOf(given: unknown): TopicSpec {
  if (!isObject(given)) throw refusal('BAD_REQUEST', 'send {"name": ...}');
  const strange = Object.keys(given).find((member) => !MEMBERS.includes(member));
  if (strange !== undefined)
    throw refusal('BAD_REQUEST', `a topic has no '${strange}', but ${MEMBERS.join(', ')}`);
  const { name, partitions = 1, compacted = false } = given;
  if (typeof name !== 'string' || !isTopicName(name)) {
    throw refusal(
      'BAD_REQUEST',
      `name is 1 .. ${NAME_LENGTH_MAX} of A-Z a-z 0-9 . _ -, and neither '.' nor '..'`,
    );
  }
  if (name.startsWith('__')) {
    throw refusal('FORBIDDEN', `names that begin with __ are millrace's own`);
  }
  if (!isCount(partitions) || partitions > PARTITIONS_MAX) {
    throw refusal('BAD_REQUEST', `partitions is an integer within 1 .. ${PARTITIONS_MAX}`);
  }
  if (typeof compacted !== 'boolean') throw refusal('BAD_REQUEST', 'compacted is true or false');
  const { timestampType = 'CreateTime' } = given;
  if (timestampType !== 'CreateTime' && timestampType !== 'LogAppendTime') {
    throw refusal('BAD_REQUEST', "timestampType is 'CreateTime' or 'LogAppendTime'");
  }
  return {
    name,
    partitions,
    retentionMs: boundOf(given, 'retentionMs', null),
    retentionBytes: boundOf(given, 'retentionBytes', null),
    compacted,
    deleteRetentionMs: boundOf(given, 'deleteRetentionMs', null) ?? undefined,
    timestampType,
    timestampAfterMaxMs: boundOf(given, 'timestampAfterMaxMs', TIMESTAMP_AFTER_MS_MAX),
    internal: false,
  };
}

/** What bounds something: a positive integer, or null for no bound. */
function boundOf(
  given: Readonly<Record<string, unknown>>,
  member: string,
  absent: number | null,
): number | null {
  const { [member]: bound = absent } = given;
  if (bound === null || isCount(bound)) return bound;
  throw refusal('BAD_REQUEST', `${member} is a positive integer or null`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}
