// The meaning of ASSERT TOPIC: what must be true of a topic and how long it may take; knows no log.

import { StatementError } from '../base/errors.ts';
import { PARTITIONS_MAX, STATEMENT_WAIT_MS_MAX } from '../base/limits.ts';
import type { AssertTopic, Duration, Property } from '../sql/ast.ts';
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
  return {
    kind: 'assertTopic',
    topic: topic.text,
    exists,
    partitions,
    replicas,
    timeoutMs: timeoutMs(timeout, given === undefined ? TIMEOUT_DEFAULT_MS : Number(given)),
  };
}

/**
 * How long a statement may wait.
 * @throws {StatementError} LIMIT beyond STATEMENT_WAIT_MS_MAX
 */
export function timeoutMs(given: Duration | null, defaultMs = TIMEOUT_DEFAULT_MS): number {
  const ms = given === null ? defaultMs : durationMs(given);
  if (ms <= STATEMENT_WAIT_MS_MAX) return ms;
  const message = `a statement waits at most ${STATEMENT_WAIT_MS_MAX} ms (STATEMENT_WAIT_MS_MAX), not ${ms}`;
  throw new StatementError(
    'LIMIT',
    message,
    given?.at ?? null,
    'Give it again when the time is over.',
  );
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
