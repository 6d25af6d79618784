// Plans that are rarely made, fetched together: source tables, upgrades of queries, and the row path of a plan for the kernel.

import { StatementError } from '../base/errors.ts';
import { OPEN_PUSH_QUERIES_MAX } from '../base/limits.ts';
import type { Statement } from '../sql/ast.ts';

export { onRowPath } from '../plan/row-path.ts';
export { planSourceTable } from '../plan/source-table.ts';
export { planUpgrade } from '../plan/upgrade.ts';

/** The refusal of a text that is no query: `statement` is what it has instead of one SELECT, or after it. */
export function notOneQuery(statement: Statement | undefined): StatementError {
  return new StatementError(
    'INVALID',
    'a query is one SELECT',
    statement?.at ?? null,
    'Send other statements to execute(), and each SELECT by itself.',
  );
}

/** The refusal of a query that was given as a statement. */
export function isQuery(statement: Statement): StatementError {
  return new StatementError(
    'INVALID',
    'a SELECT is a query, not a statement to execute',
    statement.at,
    'Send it to query(), or to /query-stream.',
  );
}

/** The refusal of one push query more. */
export function tooManyQueries(): StatementError {
  return new StatementError('LIMIT', `${OPEN_PUSH_QUERIES_MAX} push queries are open already`);
}
