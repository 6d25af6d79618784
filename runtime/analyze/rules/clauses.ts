// Which clauses go together in a query, and which the engine does not run yet; knows no columns.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Source } from '../../catalog/source.ts';
import type { Query } from '../../sql/ast.ts';

function unsupported(what: string, at: Position, hint = ''): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, at, hint);
}

/** Features of the language that this version does not run. */
export function refuseUnsupported(query: Query): void {
  const [join] = query.joins;
  if (join !== undefined) throw unsupported('JOIN', join.at);
  const [order] = query.orderBy ?? [];
  if (order !== undefined) throw unsupported('ORDER BY', order.at);
}

/** CREATE STREAM makes streams, CREATE TABLE tables. */
export function refuseWrongKind(
  wanted: 'stream' | 'table',
  query: Query,
  source: Source,
  at: Position,
): void {
  const grouped = query.groupBy !== null;
  if (wanted === 'stream' && (grouped || source.kind === 'table')) {
    throw new StatementError(
      'INVALID',
      'the query makes a table, not a stream',
      at,
      'Write CREATE TABLE.',
    );
  }
  if (wanted === 'table' && !grouped && source.kind === 'stream') {
    throw new StatementError(
      'INVALID',
      'the query makes a stream, not a table',
      at,
      'Write CREATE STREAM, or add GROUP BY and an aggregate.',
    );
  }
}

/** A windowed table is asked by pull and push queries only. */
export function refuseWindowedTable(source: Source, at: Position): void {
  if (source.kind !== 'table' || source.window === null) return;
  throw new StatementError(
    'INVALID',
    `${source.name} is a windowed table, which no persistent query reads`,
    at,
    'Read its topic as a stream, or aggregate its source again.',
  );
}
