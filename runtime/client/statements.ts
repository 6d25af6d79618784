// Statements at the edge, in order, until one fails; knows no language.

import { checkOptions } from '../base/options.ts';
import type { Entity } from '../engine/status.ts';
import { type Connection, jsonCall, readJson } from './connection.ts';

/** How statements are executed. */
export interface ExecuteOptions {
  /** As SET gives them, for these statements alone. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** As DEFINE gives them. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS = { properties: 'object', variables: 'object', signal: 'object' };

/**
 * Executes statements in order; SELECT goes to `query`.
 * @returns an answer per statement, in ksqlDB's shapes; INSERT VALUES has none
 * @throws {StatementError} of the first that fails; those before it stay done
 * @throws {TypeError} for options that are none
 * @throws {PortError} UNAVAILABLE when the edge did not answer: which of them are done is then not known
 */
export async function execute(
  connection: Connection,
  sql: string,
  options: ExecuteOptions = {},
): Promise<readonly Entity[]> {
  checkOptions('execute', options, OPTIONS);
  const { properties = {}, variables = {}, signal } = options;
  const body = { ksql: sql, streamsProperties: properties, sessionVariables: variables };
  return connection.once(jsonCall('/ksql', body, signal), readJson<readonly Entity[]>);
}
