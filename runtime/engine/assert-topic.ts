// Carries out ASSERT TOPIC: looks at the log until it is so or the time is over; knows no statement's text.

import { StatementError } from '../base/errors.ts';
import type { AssertTopicAnalysis } from '../analyze/analysis.ts';
import type { Clock } from '../ports/clock.ts';
import type { TopicDescription } from '../ports/log.ts';
import { entity, type Entity } from './status.ts';

/** How often the log is looked at. */
const LOOK_AGAIN_MS = 50;
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
 * @param describe looks at the log
 * @throws {StatementError} INVALID with what is not so, once the time is over
 */
export async function untilSo(
  analysis: AssertTopicAnalysis,
  describe: (topic: string) => Promise<TopicDescription | null>,
  clock: Clock,
): Promise<void> {
  const { topic, timeoutMs } = analysis;
  const endMs = clock.now() + timeoutMs;
  for (;;) {
    const fault = faultOf(analysis, await describe(topic));
    if (fault === null) return;
    const now = clock.now();
    if (now >= endMs) throw new StatementError('INVALID', fault);
    await new Promise<void>(
      (resolve) => void clock.wakeAt(Math.min(endMs, now + LOOK_AGAIN_MS), resolve),
    );
  }
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
