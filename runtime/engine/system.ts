// The topics and the stream that every engine has from the beginning; knows no query.

import type { Source } from '../catalog/source.ts';
import { schema, type SchemaColumn } from '../data/schema.ts';
import { BIGINT, INTEGER, STRING, type Type } from '../data/type.ts';
import type { Log, TopicSpec } from '../ports/log.ts';
import { PortError } from '../base/errors.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../task/task-topics.ts';
import { CATALOG_TOPIC } from './catalog-topic.ts';

const column = (name: string, type: Type): SchemaColumn => ({ name, type, role: 'value' });

/** Every problem and late row of every query, readable by SQL. */
export const PROCESSING_LOG: Source = {
  name: 'KSQL_PROCESSING_LOG',
  kind: 'stream',
  topic: PROCESSING_LOG_TOPIC,
  partitions: 1,
  schema: schema([
    column('QUERY', STRING),
    column('TASK', STRING),
    column('TOPIC', STRING),
    column('PARTITION', INTEGER),
    column('OFFSET', BIGINT),
    column('FIELD', STRING),
    column('CODE', STRING),
    column('MESSAGE', STRING),
  ]),
  keyFormat: { format: 'KAFKA', options: [], wrap: false },
  valueFormat: { format: 'JSON', options: [], wrap: true },
  window: null,
  timestamp: null,
  headers: [],
  readOnly: true,
  query: null,
  statement: '',
};

/** An internal topic of one partition, or as many as are asked for. */
export function internalTopic(name: string, partitions = 1): TopicSpec {
  return { name, partitions, retentionMs: null, compacted: false, internal: true };
}

/** Makes the topics that are not there yet. */
export async function createSystemTopics(log: Log): Promise<void> {
  for (const name of [CATALOG_TOPIC, PROCESSING_LOG_TOPIC, DEAD_LETTERS_TOPIC]) {
    await ensureTopic(log, internalTopic(name));
  }
}

/** Makes the topic unless it is there; one that is there is taken as it is. */
export async function ensureTopic(log: Log, topic: TopicSpec): Promise<void> {
  if ((await log.describe(topic.name)) !== null) return;
  try {
    await log.create(topic);
  } catch (thrown) {
    if (!(thrown instanceof PortError) || thrown.code !== 'TOPIC_EXISTS') throw thrown;
  }
}
