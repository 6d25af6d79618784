// The body of a statement or query request, in ksqlDB's shapes; knows no statement.

import type { Script } from '../objects/prepare.ts';
import { isObject, readOrder } from './body.ts';
import type { EdgeContext } from './context.ts';
import { refusal } from './errors.ts';

/** Members of a body, by route: the text and the properties. */
interface Members {
  readonly text: 'ksql' | 'sql';
  readonly properties: 'streamsProperties' | 'properties';
}

/** A script, and from where its query goes on. */
export interface QueryRequest {
  readonly script: Script;
  /** null: it begins. */
  readonly token: string | null;
}

/** @throws 400 with the member at fault, 408, 413, 415 */
export async function readScript(c: EdgeContext, members: Members): Promise<Script> {
  return (await readQuery(c, members)).script;
}

/** As `readScript`, with the place in `token`. */
export async function readQuery(c: EdgeContext, members: Members): Promise<QueryRequest> {
  const value = await readOrder(c);
  if (!isObject(value)) throw refusal('BAD_REQUEST', `send {"${members.text}": "..."}`);
  return queryOf(value, members);
}

/** The script in a JSON object. @throws 400 with the member at fault */
export function queryOf(value: Readonly<Record<string, unknown>>, members: Members): QueryRequest {
  const sql = value[members.text];
  if (typeof sql !== 'string') throw refusal('BAD_REQUEST', `"${members.text}" is not text`);
  const token = value['token'] ?? null;
  if (token !== null && typeof token !== 'string')
    throw refusal('BAD_REQUEST', '"token" is not text');
  const script = {
    sql,
    properties: textsOf(value[members.properties], members.properties),
    variables: textsOf(value['sessionVariables'], 'sessionVariables'),
    after: sequenceOf(value['commandSequenceNumber']),
  };
  return { script, token };
}

function sequenceOf(given: unknown): number | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= -1) return given;
  throw refusal('BAD_REQUEST', '"commandSequenceNumber" is no number of a statement');
}

function textsOf(given: unknown, name: string): Map<string, string> {
  if (given === undefined || given === null) return new Map();
  if (!isObject(given)) throw refusal('BAD_REQUEST', `"${name}" is not an object`);
  return new Map(
    Object.entries(given).map(([key, value]) => {
      if (typeof value === 'string') return [key, value];
      if (typeof value === 'number' || typeof value === 'boolean') return [key, String(value)];
      throw refusal(
        'BAD_REQUEST',
        `"${name}.${key.slice(0, 100)}" is neither text nor number nor boolean`,
      );
    }),
  );
}
