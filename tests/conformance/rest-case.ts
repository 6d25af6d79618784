// What a case of the REST suite says beside statements, inputs and outputs: answers, refusals, order; knows no engine.

import type { Case } from './case.ts';
import { isArray, isObject, type Json, JsonNumber, type JsonObject } from './json.ts';

/** A refusal as a client sees it. */
export interface ExpectedRefusal {
  /** `statement_error` names the statement at fault; `generic_error` need not. Null: either. */
  readonly type: 'statement_error' | 'generic_error' | null;
  readonly status: number;
}

/** One answer, in the order of the statements, queries last. */
export type ExpectedAnswer =
  | { readonly kind: 'admin'; readonly members: JsonObject }
  | { readonly kind: 'query'; readonly elements: readonly Json[] }
  | { readonly kind: 'queryProto' };

export interface RestCase {
  /** Statements that do not start with SELECT, which are sent first and as one text. */
  readonly statements: readonly string[];
  readonly queries: readonly string[];
  readonly answers: readonly ExpectedAnswer[];
  readonly refusal: ExpectedRefusal | null;
  /** true: the query is asked before the inputs come. */
  readonly isAskedFirst: boolean;
  /** false: rows of one answer stand in any order. */
  readonly inOrder: boolean;
}

const STATUS_DEFAULT = 400;

/** @throws {TypeError} when the case is none of this suite */
export function restCase(of: Case): RestCase {
  const { entry, statements } = of;
  const isQuery = (sql: string): boolean => sql.startsWith('SELECT ');
  const before = entry.get('inputConditions');
  const after = entry.get('outputConditions');
  const responses = entry.get('responses') ?? [];
  if (!isArray(responses)) throw new TypeError(`${of.name}: responses is no list`);
  return {
    statements: statements.filter((sql) => !isQuery(sql)),
    queries: statements.filter(isQuery),
    answers: responses.map((response) => answerOf(response, of.name)),
    refusal: refusalOf(entry.get('expectedError')),
    isAskedFirst: isObject(before) && before.get('waitForActivePushQuery') === true,
    inOrder: isObject(after) && after.get('verifyOrder') === true,
  };
}

function answerOf(response: Json, name: string): ExpectedAnswer {
  const [kind, body] = isObject(response) ? ([...response][0] ?? []) : [];
  if (kind === 'admin' && isObject(body)) return { kind, members: body };
  if (kind === 'query' && isArray(body)) return { kind, elements: body };
  if (kind === 'queryProto') return { kind };
  throw new TypeError(`${name}: a response of the kind ${String(kind)}`);
}

function refusalOf(expected: Json | undefined): ExpectedRefusal | null {
  if (!isObject(expected)) return null;
  const status = expected.get('status');
  const type = expected.get('type');
  return {
    type: typeof type === 'string' ? typeOf(type) : null,
    status: status instanceof JsonNumber ? Number(status.text) : STATUS_DEFAULT,
  };
}

function typeOf(name: string): 'statement_error' | 'generic_error' {
  return name.endsWith('KsqlStatementErrorMessage') ? 'statement_error' : 'generic_error';
}
