// Which clauses of a query the engine does not run yet; knows no columns.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Query } from '../../sql/ast.ts';

function unsupported(what: string, at: Position, hint = ''): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, at, hint);
}

/** Features of the language that this version does not run. */
export function refuseUnsupported(query: Query): void {
  const [order] = query.orderBy ?? [];
  if (order !== undefined) throw unsupported('ORDER BY', order.at);
}
