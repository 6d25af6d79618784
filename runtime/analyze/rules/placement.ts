// Where WINDOW, HAVING and PARTITION BY may stand, and which sources and results go together; knows no columns.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Relation } from '../../catalog/source.ts';
import type { Query } from '../../sql/ast.ts';

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

/** PARTITION BY gives a stream another key, and nothing else. */
export function refuseMisplacedPartitionBy(query: Query, source: Relation): void {
  const [first] = query.partitionBy ?? [];
  if (query.partitionBy === null) return;
  const at = first?.at ?? query.at;
  if (first === undefined) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY names nothing',
      at,
      'Name at least one expression.',
    );
  }
  if (query.groupBy !== null) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY beside GROUP BY',
      at,
      'GROUP BY gives the key already.',
    );
  }
  if (source.kind === 'table') {
    throw new StatementError(
      'INVALID',
      'PARTITION BY over a table',
      at,
      "A table's key is what its rows are found by.",
    );
  }
  if (source.window !== null) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY over a windowed stream',
      at,
      'Its key holds the window.',
    );
  }
  const none = query.partitionBy.find((node) => node.kind === 'Null');
  if (none !== undefined && query.partitionBy.length > 1) {
    throw new StatementError(
      'INVALID',
      'PARTITION BY several expressions with a NULL among them',
      none.at,
      'PARTITION BY NULL takes the key away and stands alone.',
    );
  }
}

/** CREATE STREAM makes streams, CREATE TABLE tables. @param wanted what the query does not make */
export function wrongKind(wanted: 'stream' | 'table', at: Position): StatementError {
  return wanted === 'stream'
    ? new StatementError(
        'INVALID',
        'the query makes a table, not a stream',
        at,
        'Write CREATE TABLE.',
      )
    : new StatementError(
        'INVALID',
        'the query makes a stream, not a table',
        at,
        'Write CREATE STREAM, or add GROUP BY and an aggregate.',
      );
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
