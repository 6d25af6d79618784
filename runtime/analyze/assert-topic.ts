// The meaning of ASSERT TOPIC: what must be true of a topic and how long it may take; knows no log.

import { StatementError } from '../base/errors.ts';
import { PARTITIONS_MAX } from '../base/limits.ts';
import type { AssertTopic, Property } from '../sql/ast.ts';
import { durationMs } from '../sql/ast.ts';
import type { AnalyzeOptions, AssertTopicAnalysis } from './analysis.ts';

const TIMEOUT_DEFAULT_MS = 1_000;

/** @throws {StatementError} INVALID for properties that say nothing of a topic */
export function analyzeAssertTopic(
  statement: AssertTopic,
  { properties }: AnalyzeOptions,
): AssertTopicAnalysis {
  const { exists, topic, timeout } = statement;
  let partitions: number | null = null;
  let replicas: number | null = null;
  for (const property of statement.properties) {
    const name = property.name.text.toUpperCase();
    if (name === 'PARTITIONS') partitions = count(property);
    else if (name === 'REPLICAS') replicas = count(property);
    else {
      throw new StatementError(
        'INVALID',
        `ASSERT TOPIC cannot check ${name}`,
        property.at,
        'It checks PARTITIONS and REPLICAS.',
      );
    }
  }
  const given = properties.get('ksql.assert.topic.default.timeout.ms');
  const defaultMs = given === undefined ? TIMEOUT_DEFAULT_MS : Number(given);
  return {
    kind: 'assertTopic',
    topic: topic.text,
    exists,
    partitions,
    replicas,
    timeoutMs: timeout === null ? defaultMs : durationMs(timeout),
  };
}

function count({ name, value }: Property): number {
  const written =
    value.kind === 'Integer' ? value.value : value.kind === 'String' ? Number(value.value) : 0;
  if (Number.isInteger(written) && written >= 1 && written <= PARTITIONS_MAX) return written;
  throw new StatementError(
    'INVALID',
    `${name.text.toUpperCase()} is not a number of them`,
    value.at,
    `It is a whole number from 1 to ${PARTITIONS_MAX}.`,
  );
}
