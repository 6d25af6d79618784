// How a query is asked: its options; what reads its rows is fetched with the first one.

import { checkOptions } from '../base/options.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Connection } from './connection.ts';
import { later } from './later.ts';
import type { AnswerRows } from './query.ts';

/** How a query is asked, and its rows are given. */
export interface QueryOptions extends PublicOptions {
  /** As SET gives them, for this query alone. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * What carries the rows: `sse` (the default), a response of server-sent events of its own; or `socket`, a WebSocket that all such queries
   * of the client share: browsers have six connections to an HTTP/1.1 server, for all pages together.
   */
  readonly transport?: Transport | undefined;
  /** Ends the query. */
  readonly signal?: AbortSignal | undefined;
}

type Transport = 'sse' | 'socket';

const OPTIONS = {
  properties: 'object',
  transport: "'sse' | 'socket'",
  signal: 'object',
  bigint: "'exact' | 'bigint'",
};

/**
 * Asks (pull) or subscribes (push, EMIT CHANGES). Asks again while the edge does not answer.
 * @throws {StatementError} what is wrong with the text
 * @throws {TypeError} for options that are none
 */
export async function query(
  connection: Connection,
  sql: string,
  options: QueryOptions = {},
): Promise<AnswerRows> {
  checkOptions('query', options, OPTIONS);
  const { openQuery } = await later('queries', import('./query.ts'));
  return openQuery(connection, sql, options);
}
