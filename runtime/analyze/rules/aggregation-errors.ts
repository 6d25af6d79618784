// The errors of aggregations out of place: fetched when a statement is wrong. Knows no rule.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Relation } from '../../catalog/source.ts';
import type { Call, Expression } from '../../sql/ast.ts';
import { shortText } from '../walk.ts';

export function emptyGrouping(at: Position): StatementError {
  return new StatementError(
    'INVALID',
    'GROUP BY names nothing',
    at,
    'Name at least one expression.',
  );
}

export function aggregateInGrouping(aggregate: Expression): StatementError {
  return new StatementError(
    'INVALID',
    `the aggregate ${shortText(aggregate)} cannot stand in GROUP BY`,
    aggregate.at,
    'Group by columns, and put the aggregate into the SELECT.',
  );
}

export function aggregateInPartitionBy(aggregate: Expression): StatementError {
  return new StatementError(
    'INVALID',
    `the aggregate ${shortText(aggregate)} cannot stand in PARTITION BY`,
    aggregate.at,
    'A row has no aggregate: aggregate first, in a query of its own.',
  );
}

export function boundInGrouping(bound: Expression): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(bound)} cannot stand in GROUP BY`,
    bound.at,
    'The key has the window already: its bounds stand in the SELECT only.',
  );
}

export function withoutGrouping(aggregate: Expression): StatementError {
  return new StatementError(
    'INVALID',
    `the aggregate ${shortText(aggregate)} stands in a query without GROUP BY`,
    aggregate.at,
    'Add GROUP BY; a grouping over all rows is GROUP BY with a constant, such as 1.',
  );
}

export function groupingWithoutAggregate(at: Position): StatementError {
  return new StatementError(
    'INVALID',
    'GROUP BY without an aggregate',
    at,
    'Put an aggregate, such as COUNT(*), into the SELECT or HAVING.',
  );
}

/** A column that is neither grouped by nor aggregated has no one value in a group. */
export function ungrouped(node: Expression, clause: string): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(node)} in ${clause} is neither grouped by nor aggregated`,
    node.at,
    'Add it to GROUP BY, or put it into an aggregate.',
  );
}

export function nested(inner: Expression, outer: Call): StatementError {
  return new StatementError(
    'INVALID',
    `the aggregate ${shortText(inner)} stands within ${shortText(outer)}`,
    inner.at,
    'Aggregates cannot be nested: compute the inner one in a query of its own.',
  );
}

/** Over a table an old row is taken back before the new one counts. */
export function withoutUndo(call: Call, source: Relation): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(call)} cannot be computed over the table ${source.name}`,
    call.at,
    'It cannot take an old row back: use it over a stream.',
  );
}

/** Sessions merge when a row closes the gap between them. */
export function withoutMerge(call: Call): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(call)} cannot be computed per session`,
    call.at,
    'It cannot put two sessions together: use WINDOW TUMBLING or HOPPING.',
  );
}

const COPY = "Copy it first: CREATE STREAM ... WITH (VALUE_FORMAT='JSON') AS SELECT * FROM it.";

/** State that is no single plain value does not fit into DELIMITED, the format in which ksqlDB keeps it over such a source. */
export function nestedState(call: Call, source: Relation): StatementError {
  return new StatementError(
    'INVALID',
    `${shortText(call)} cannot be computed over ${source.name}, whose value format is DELIMITED`,
    call.at,
    COPY,
  );
}

export function ungroupableFormat(source: Relation, at: Position): StatementError {
  return new StatementError(
    'INVALID',
    `GROUP BY over ${source.name}, whose value format is KAFKA`,
    at,
    COPY,
  );
}
