// The answer of a query as events and as messages of a socket: rows, and the place behind them; knows no connection.

import { RowParts, type RowText } from '../rows.ts';
import { eventText, HEARTBEAT, HEARTBEAT_MS } from './event-stream.ts';
import { heard } from './heard.ts';
import type { RunningQuery } from './queries.ts';

/** The members of what begins an answer. */
export function headerMembers({ queryId, columns, isResumable }: RunningQuery): object {
  return {
    queryId,
    columnNames: columns.map(({ name }) => name),
    columnTypes: columns.map(({ type }) => type),
    resumable: isResumable,
  };
}

/** `"rows": [...]`, and which of them were deleted, as members of a JSON object. */
export function rowMembers(rows: readonly RowText[]): string {
  const deleted = rows.flatMap(({ isDelete }, i) => (isDelete ? [i] : []));
  const marks = deleted.length === 0 ? '' : `,"deleted":[${deleted.join(',')}]`;
  return `"rows":[${rows.map(({ columns }) => columns).join(',')}]${marks}`;
}

/** Events for as long as the query gives rows; a comment where it gives none for a while. */
export async function* queryEvents(query: RunningQuery): AsyncGenerator<string, void, undefined> {
  const placed = (rowsLeft: number): string | undefined => query.token(rowsLeft) ?? undefined;
  const parts = new RowParts();
  yield eventText({ type: 'header', id: placed(0), data: JSON.stringify(headerMembers(query)) });
  for await (const rows of heard(query.rows(), HEARTBEAT_MS)) {
    if (rows === null) {
      yield HEARTBEAT;
      continue;
    }
    for (let at = 0; at < rows.length;) {
      const part = parts.next(rows, at, Infinity);
      at += part.length;
      yield eventText({ id: placed(rows.length - at), data: `{${rowMembers(part)}}` });
    }
  }
  yield eventText({ type: 'end', data: JSON.stringify({ message: query.finalMessage }) });
}
