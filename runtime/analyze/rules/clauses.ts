// Which clauses go together in a query, and which the engine does not run yet; knows no columns.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Relation } from '../../catalog/source.ts';
import type { Query } from '../../sql/ast.ts';

function unsupported(what: string, at: Position, hint = ''): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, at, hint);
}

/** Features of the language that this version does not run. */
export function refuseUnsupported(query: Query): void {
  const { window, emit, orderBy } = query;
  if (window !== null && window.kind !== 'Tumbling') {
    throw unsupported(`WINDOW ${window.kind.toUpperCase()}`, window.at, 'WINDOW TUMBLING is.');
  }
  if (emit?.mode === 'FINAL') throw unsupported('EMIT FINAL', emit.at, 'EMIT CHANGES is.');
  if (emit !== null && emit.every !== null) throw unsupported('EMIT CHANGES EVERY', emit.every.at);
  const [order] = orderBy ?? [];
  if (order !== undefined) throw unsupported('ORDER BY', order.at);
}

/** A final result needs windows that close. */
export function refuseFinalWithoutWindow(query: Query): void {
  if (query.emit?.mode !== 'FINAL' || query.window !== null) return;
  throw new StatementError(
    'INVALID',
    'EMIT FINAL without a window',
    query.emit.at,
    'Only a windowed aggregation has a final result: add WINDOW, or write EMIT CHANGES.',
  );
}

/** WINDOW belongs to GROUP BY over a stream. */
export function refuseMisplacedWindow(query: Query, source: Relation): void {
  if (query.window === null) return;
  if (query.groupBy === null) {
    throw new StatementError(
      'INVALID',
      'WINDOW without GROUP BY',
      query.window.at,
      'Add GROUP BY.',
    );
  }
  if (source.kind === 'table') {
    throw new StatementError(
      'INVALID',
      'WINDOW over a table',
      query.window.at,
      'Only a stream is windowed: aggregate the table without a window.',
    );
  }
}

/** HAVING belongs to GROUP BY. */
export function refuseMisplacedHaving(query: Query): void {
  if (query.having === null || query.groupBy !== null) return;
  throw new StatementError(
    'INVALID',
    'HAVING without GROUP BY',
    query.having.at,
    'Use WHERE, or add GROUP BY.',
  );
}

/** CREATE STREAM makes streams, CREATE TABLE tables. */
export function refuseWrongKind(
  wanted: 'stream' | 'table',
  query: Query,
  source: Relation,
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
export function refuseWindowedTable(source: Relation, at: Position): void {
  if (source.kind !== 'table' || source.window === null) return;
  throw new StatementError(
    'INVALID',
    `${source.name} is a windowed table, which no persistent query reads`,
    at,
    'Read its topic as a stream, or aggregate its source again.',
  );
}
