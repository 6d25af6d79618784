// The body of a statement or query request, in ksqlDB's shapes; knows no statement.

import type { Script } from '../objects/prepare.ts';
import { isObject, readStatements } from './body.ts';
import type { EdgeContext } from './context.ts';
import { refusal } from './errors.ts';

/** The member of a body that holds the text, by route. */
type TextMember = 'ksql' | 'sql';

/** Those that hold properties: ksqlDB has one at /ksql and /query, the other at /query-stream, and its documents either at each. */
const PROPERTIES = ['streamsProperties', 'properties'] as const;

/** A script, and from where its query goes on. */
export interface QueryRequest {
  readonly script: Script;
  /** null: it begins. */
  readonly token: string | null;
}

/** @throws 400 with the member at fault, 408, 413, 415 */
export async function readScript(c: EdgeContext, member: TextMember): Promise<Script> {
  return (await readQuery(c, member)).script;
}

/** As `readScript`, with the place in `token`. */
export async function readQuery(c: EdgeContext, member: TextMember): Promise<QueryRequest> {
  const value = await readStatements(c);
  if (!isObject(value)) throw refusal('BAD_REQUEST', `send {"${member}": "..."}`);
  return queryOf(value, member);
}

/** The script in a JSON object. @throws 400 with the member at fault */
export function queryOf(
  value: Readonly<Record<string, unknown>>,
  member: TextMember,
): QueryRequest {
  const sql = value[member];
  if (typeof sql !== 'string') throw refusal('BAD_REQUEST', `"${member}" is not text`);
  const token = value['token'] ?? null;
  if (token !== null && typeof token !== 'string')
    throw refusal('BAD_REQUEST', '"token" is not text');
  const script = {
    sql,
    properties: propertiesIn(value),
    variables: textsOf(value['sessionVariables'], 'sessionVariables'),
    after: sequenceOf(value['commandSequenceNumber']),
  };
  return { script, token };
}

function propertiesIn(value: Readonly<Record<string, unknown>>): Map<string, string> {
  const [name, other] = PROPERTIES.filter((one) => value[one] !== undefined);
  if (other !== undefined)
    throw refusal('BAD_REQUEST', `the body has both "${name}" and "${other}"`);
  return name === undefined ? new Map() : textsOf(value[name], name);
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
