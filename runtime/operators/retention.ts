// Tells when rows of windows leave the store; how is in expiry.ts, which is fetched when there are such rows. Knows no row.

import type { AggregateStep, WindowSpec } from '../plan/step.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { RARE_OPERATORS } from './parts.ts';

/**
 * Stands beside a windowed aggregation, on either path, and is given what that emits: rows whose retention is over leave its state table
 * at a commit. Nothing can be over before a new task's stream time has moved on by a retention.
 */
export function retention(
  step: AggregateStep,
  window: WindowSpec,
  context: OperatorContext,
): Operator {
  const { streamTime } = context;
  // What had closed at the last commit is not changed by this one.
  let committedMs = streamTime.ms;
  let dueMs = committedMs;
  let rows = 0;
  return {
    name: 'retention',
    schema: step.schema,
    process(_side, batch) {
      rows += batch.length;
    },
    changes(into) {
      if (dueMs === -Infinity) dueMs = streamTime.ms + window.retentionMs;
      if (committedMs >= dueMs) {
        RARE_OPERATORS.code.expire(
          { table: step.id, window, state: context.state, committedMs, rows },
          into,
        );
      }
      committedMs = streamTime.ms;
      rows = 0;
    },
  };
}
