// Carries out ASSERT TOPIC: looks at the log until it is so or the time is over; knows no statement's text.

import type { AssertTopicAnalysis } from '../analyze/analysis.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopicDescription } from '../ports/log.ts';
import { entity, type Entity } from './status.ts';
import { untilSo } from './until-so.ts';

/** Every host keeps what it keeps by itself. */
const REPLICAS = 1;

/** The answer, once it is so. */
export function topicAsserted(
  text: string,
  { topic: topicName, exists }: AssertTopicAnalysis,
): Entity {
  return entity('assert_topic', text, { topicName, exists });
}

/**
 * Waits until it is so.
 * @param describe looks at the log
 * @param signal ends the wait
 * @throws {StatementError} INVALID with what is not so, once the time is over; why the signal was aborted
 */
export function untilTopicIs(
  analysis: AssertTopicAnalysis,
  describe: (topic: string) => Promise<TopicDescription | null>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const look = async () => faultOf(analysis, await describe(analysis.topic));
  return untilSo(look, { clock, timeoutMs: analysis.timeoutMs, hint: '', signal });
}

function faultOf(
  { topic, exists, partitions, replicas }: AssertTopicAnalysis,
  found: TopicDescription | null,
): string | null {
  if (!exists) return found === null ? null : `the topic ${topic} exists`;
  if (found === null) return `the topic ${topic} does not exist`;
  if (partitions !== null && found.partitions !== partitions) {
    return `the topic ${topic} has ${found.partitions} partitions, not ${partitions}`;
  }
  if (replicas !== null && replicas !== REPLICAS) {
    return `the topic ${topic} has ${REPLICAS} replica, not ${replicas}`;
  }
  return null;
}
