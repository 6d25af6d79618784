// The one mapping from errors to statuses and ksqlDB's error bodies; a text sent to a client never carries a stack.

import { HTTPException } from 'hono/http-exception';
import {
  LimitError,
  PortError,
  type PortCode,
  RecordError,
  StatementError,
  type StatementCode,
} from '../../runtime/base/errors.ts';
import { log } from '../../runtime/base/log.ts';

/** What the HTTP layer itself refuses. */
export type RequestCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'REQUEST_TIMEOUT'
  | 'BODY_TOO_LARGE'
  | 'URL_TOO_LONG'
  | 'MEDIA_TYPE'
  | 'UPGRADE_REQUIRED'
  | 'TOO_MANY_REQUESTS'
  | 'HEADERS_TOO_LARGE';

const REQUEST_CODES: Readonly<Record<RequestCode, number>> = {
  BAD_REQUEST: 40000,
  UNAUTHORIZED: 40100,
  FORBIDDEN: 40300,
  NOT_FOUND: 40400,
  METHOD_NOT_ALLOWED: 40500,
  NOT_ACCEPTABLE: 40600,
  REQUEST_TIMEOUT: 40800,
  BODY_TOO_LARGE: 41300,
  URL_TOO_LONG: 41400,
  MEDIA_TYPE: 41500,
  UPGRADE_REQUIRED: 42600,
  TOO_MANY_REQUESTS: 42900,
  HEADERS_TOO_LARGE: 43100,
};

const PORT_CODES: Readonly<Record<PortCode, number>> = {
  INVALID_TIMESTAMP: 40000,
  INVALID_BATCH: 40000,
  INVALID_RECORD: 40000,
  FENCED: 40300,
  UNKNOWN_TOPIC: 40400,
  UNKNOWN_PARTITION: 40400,
  TOPIC_EXISTS: 40901,
  OUT_OF_ORDER_SEQUENCE: 40903,
  UNKNOWN_PRODUCER: 40903,
  SEQUENCE_REUSED: 40903,
  INCARNATION_CHANGED: 40903,
  LOCKED: 40903,
  RECORD_TOO_LARGE: 41300,
  OFFSET_OUT_OF_RANGE: 41600,
  CORRUPT: 50000,
  OVERLOADED: 42900,
  UNAVAILABLE: 50301,
  STORAGE_FULL: 50700,
};

const STATEMENT_CODES: Readonly<Record<StatementCode, number>> = {
  SYNTAX: 40001,
  UNKNOWN_COLUMN: 40001,
  UNKNOWN_FUNCTION: 40001,
  TYPE_MISMATCH: 40001,
  INVALID: 40001,
  UNSUPPORTED: 40001,
  LIMIT: 40001,
  UNKNOWN_SOURCE: 40401,
  UNKNOWN_QUERY: 40401,
  UNKNOWN_TOPIC: 40401,
  ALREADY_EXISTS: 40901,
  IN_USE: 40902,
};

/** An error as a client sees it; the status is `error_code` div 100. */
export interface ErrorBody {
  readonly '@type': 'generic_error' | 'statement_error';
  readonly error_code: number;
  readonly message: string;
  readonly code: string;
  readonly detail?: Readonly<Record<string, number | string>> | undefined;
  readonly statementText?: string | undefined;
  readonly entities?: readonly unknown[] | undefined;
}

/** The statement at fault, and what the statements before it have answered. */
export interface FailedStatement {
  readonly text: string;
  readonly entities: readonly unknown[];
  /** The code where it does not follow from the error. */
  readonly code?: number | undefined;
}

/** A refusal of the HTTP layer, to be thrown. */
export function refusal(code: RequestCode, message: string): HTTPException {
  const status = Math.floor(REQUEST_CODES[code] / 100);
  return new HTTPException(status as 400, { message, cause: code });
}

/** A refusal of a key that sends too much, with when to come again. */
export function busy(waitMs: number): HTTPException {
  const seconds = String(Math.ceil(waitMs / 1000));
  const res = new Response(null, { headers: { 'Retry-After': seconds } });
  const message = `too many requests of this key; come again in ${seconds} s`;
  return new HTTPException(429, { message, cause: 'TOO_MANY_REQUESTS', res });
}

/** The body for anything thrown. */
export function errorBody(thrown: unknown, failed?: FailedStatement | undefined): ErrorBody {
  if (thrown instanceof StatementError) {
    const { code, hint } = thrown;
    return {
      '@type': 'statement_error',
      error_code: failed?.code ?? STATEMENT_CODES[code],
      message: hint === '' ? thrown.message : `${thrown.message}\n${hint}`,
      code,
      statementText: failed?.text ?? '',
      entities: failed?.entities ?? [],
    };
  }
  const generic = genericBody(thrown);
  if (failed === undefined) return generic;
  return {
    ...generic,
    '@type': 'statement_error',
    statementText: failed.text,
    entities: failed.entities,
  };
}

function genericBody(thrown: unknown): ErrorBody {
  if (thrown instanceof PortError) {
    const { code, message, detail } = thrown;
    return { '@type': 'generic_error', error_code: PORT_CODES[code], message, code, detail };
  }
  if (thrown instanceof LimitError) {
    const { limit, message } = thrown;
    const detail = { limit };
    return { '@type': 'generic_error', error_code: 41300, message, code: 'LIMIT', detail };
  }
  if (thrown instanceof RecordError) {
    const { code, message } = thrown;
    return { '@type': 'generic_error', error_code: 40000, message, code };
  }
  if (thrown instanceof HTTPException && isRequestCode(thrown.cause)) {
    const code = thrown.cause;
    const { message } = thrown;
    return { '@type': 'generic_error', error_code: REQUEST_CODES[code], message, code };
  }
  return {
    '@type': 'generic_error',
    error_code: 50000,
    message: 'a fault of the server; the request may be tried again',
    code: 'INTERNAL',
  };
}

function isRequestCode(cause: unknown): cause is RequestCode {
  return typeof cause === 'string' && Object.hasOwn(REQUEST_CODES, cause);
}

/** The answer for anything thrown. A fault of ours goes to the log of the platform, with its stack; never to the client. */
export function errorResponse(thrown: unknown, failed?: FailedStatement | undefined): Response {
  const body = errorBody(thrown, failed);
  const status = Math.floor(body.error_code / 100);
  if (body.code === 'INTERNAL') log('error', 'request-failed', { code: body.code, thrown });
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (status === 503 || status === 429) headers['Retry-After'] = '1';
  if (thrown instanceof HTTPException && status === 429) {
    headers['Retry-After'] = thrown.res?.headers.get('Retry-After') ?? '1';
  }
  return new Response(JSON.stringify(body), { status, headers });
}

/** Under overload this is the answer of most requests, and is not made anew for each. */
const OVERLOADED = JSON.stringify(
  errorBody(new PortError('OVERLOADED', 'too many requests are under way; try again later')),
);
const OVERLOADED_INIT = {
  status: 429,
  headers: { 'Content-Type': 'application/json', 'Retry-After': '1' },
};

/** The answer to what an isolate has no room for. */
export function overloaded(): Response {
  return new Response(OVERLOADED, OVERLOADED_INIT);
}
