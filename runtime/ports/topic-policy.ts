// What a topic's partitions keep and admit, with Kafka's defaults where nothing is said; knows no storage.

import { DELETE_RETENTION_MS } from '../base/limits.ts';
import type { TopicDescription, TopicSpec } from './log.ts';

/** What a partition must know of its topic to judge appends and to let records go. Plain JSON. */
export type TopicPolicy = Pick<
  TopicDescription,
  | 'retentionMs'
  | 'retentionBytes'
  | 'compacted'
  | 'deleteRetentionMs'
  | 'timestampType'
  | 'timestampAfterMaxMs'
>;

/** What a topic's spec says of its policy. */
type GivenPolicy = Pick<TopicSpec, keyof TopicPolicy>;

/** The policy of a topic, and nothing else of it. */
export function policyOf(topic: GivenPolicy): TopicPolicy {
  return {
    retentionMs: topic.retentionMs,
    retentionBytes: topic.retentionBytes ?? null,
    compacted: topic.compacted,
    deleteRetentionMs: topic.deleteRetentionMs ?? DELETE_RETENTION_MS,
    timestampType: topic.timestampType ?? 'CreateTime',
    timestampAfterMaxMs: topic.timestampAfterMaxMs ?? null,
  };
}

/** The topic as every adapter describes it. */
export function describedTopic(topic: TopicSpec, incarnation: string): TopicDescription {
  const { name, partitions, internal } = topic;
  return { name, partitions, ...policyOf(topic), internal, incarnation };
}
