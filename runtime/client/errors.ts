// Error bodies of the edge as the errors of the engine, and what a client may do about each; knows no route.

import {
  LimitError,
  PortError,
  type PortCode,
  RecordError,
  StatementError,
  type StatementCode,
} from '../base/errors.ts';

/** What the edge refuses about a request itself, beyond the errors that an engine has. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  /**
   * As in PROTOCOL.md section 6: `UNAUTHORIZED`, `BAD_REQUEST`, `TOO_MANY_REQUESTS` ...; `NOT_AN_EDGE` where something else answers at the url; '' when
   * the body has none.
   */
  readonly code: string;
  readonly status: number;
  readonly detail: Readonly<Record<string, number | string>>;
  constructor(
    code: string,
    message: string,
    status: number,
    detail: Readonly<Record<string, number | string>> = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.detail = detail;
  }
}

const PORT_CODES: Readonly<Record<PortCode, true>> = {
  UNKNOWN_TOPIC: true,
  UNKNOWN_PARTITION: true,
  TOPIC_EXISTS: true,
  OFFSET_OUT_OF_RANGE: true,
  INCARNATION_CHANGED: true,
  FENCED: true,
  OUT_OF_ORDER_SEQUENCE: true,
  UNKNOWN_PRODUCER: true,
  SEQUENCE_REUSED: true,
  RECORD_TOO_LARGE: true,
  INVALID_TIMESTAMP: true,
  INVALID_BATCH: true,
  INVALID_RECORD: true,
  CORRUPT: true,
  STORAGE_FULL: true,
  LOCKED: true,
  OVERLOADED: true,
  UNAVAILABLE: true,
};

const STATEMENT_CODES: Readonly<Record<StatementCode, true>> = {
  SYNTAX: true,
  UNKNOWN_SOURCE: true,
  UNKNOWN_COLUMN: true,
  UNKNOWN_FUNCTION: true,
  UNKNOWN_QUERY: true,
  UNKNOWN_TOPIC: true,
  ALREADY_EXISTS: true,
  IN_USE: true,
  TYPE_MISMATCH: true,
  INVALID: true,
  UNSUPPORTED: true,
  LIMIT: true,
};

/** The members of an error's body that are read. */
export interface ErrorBody {
  readonly '@type'?: unknown;
  readonly error_code?: unknown;
  readonly message?: unknown;
  /** A text; of other servers it may be a number. */
  readonly code?: string | number | undefined;
  readonly detail?: unknown;
  readonly entities?: unknown;
}

export function isErrorBody(body: unknown): body is ErrorBody {
  return 'message' in Object(body);
}

/** The error that a body stands for; a body that is none is a fault on the way, `UNAVAILABLE`. */
export function errorOf(status: number, body: unknown): Error {
  if (!isErrorBody(body)) {
    return new PortError('UNAVAILABLE', `the answer ${status} is not the edge's`, { status });
  }
  const given = body;
  const code = String(given.code ?? '');
  const message = String(given.message);
  const detail = detailOf(given.detail);
  if (given['@type'] === 'statement_error' && Object.hasOwn(STATEMENT_CODES, code)) {
    return statementError(code as StatementCode, message);
  }
  if (Object.hasOwn(PORT_CODES, code)) return new PortError(code as PortCode, message, detail);
  if (code === 'LIMIT') return new LimitError(String(detail['limit'] ?? ''), message);
  if (code === 'DESERIALIZATION' || code === 'EXPRESSION') return new RecordError(code, message);
  return new EdgeError(code, message, status, detail);
}

/** Position and hint stand in the message, before and behind what it says. */
function statementError(code: StatementCode, text: string): StatementError {
  const [, line, column, said = '', hint] =
    /^(?:line (\d+):(\d+): )?([^\n]*)\n?(.*)/s.exec(text) ?? [];
  const at = line === undefined ? null : { line: Number(line), column: Number(column) };
  return new StatementError(code, said, at, hint);
}

function detailOf(given: unknown): Record<string, number | string> {
  const known = Object.entries(Object(given) as object).filter(
    (entry): entry is [string, number | string] =>
      typeof entry[1] === 'number' || typeof entry[1] === 'string',
  );
  return Object.fromEntries(known);
}

/** What came of one attempt. */
export interface Failed {
  readonly error: Error;
  /** true: another attempt may succeed. */
  readonly isPassing: boolean;
  /** true: the edge has refused, and what was asked for has not been done. */
  readonly isRefused: boolean;
  /** How long the edge asks to wait. */
  readonly waitMs: number;
}

/**
 * An answer that is no success. One that no edge gives is of whoever stands before it (a portal, a proxy), and passes; where none has answered yet,
 * it is the url that is wrong, which does not.
 */
export function failed(
  { status, url, headers }: Response,
  asked: { readonly url: string; readonly body: unknown; readonly isKnown: boolean },
): Failed {
  const isForeign = !isErrorBody(asked.body);
  const isUnknown = (status >= 500 && status !== 507) || (isForeign && asked.isKnown);
  const error = isForeign
    ? foreign(status, url || asked.url, headers)
    : errorOf(status, asked.body);
  const isPassing = (isUnknown && !isCorrupt(error)) || status === 429 || status === 408;
  const seconds = Number(headers.get('Retry-After') ?? 0);
  return {
    error: isForeign && isPassing ? new PortError('UNAVAILABLE', error.message, { status }) : error,
    isPassing,
    isRefused: !isUnknown && status !== 408,
    waitMs: seconds > 0 ? seconds * 1000 : 0,
  };
}

function foreign(status: number, url: string, headers: Headers): EdgeError {
  const type = headers.get('Content-Type') ?? 'of no type';
  const message = `${url} answered ${status} (${type}), as no edge does: is the url that of an edge?`;
  return new EdgeError('NOT_AN_EDGE', message, status);
}

function isCorrupt(error: Error): boolean {
  return error instanceof PortError && error.code === 'CORRUPT';
}

/**
 * No answer, or half of one: what was asked for may have been done.
 * @param stranger the origin of a page that has not had an answer yet, and that its edge may not list: browsers do not tell the one from the other
 */
export function unanswered(cause: unknown, stranger: string | null): Failed {
  const why = stranger === null ? '' : `, or not to pages of ${stranger} (its cors.origins)`;
  const error = new PortError('UNAVAILABLE', `the edge did not answer${why}`, {}, { cause });
  return { error, isPassing: true, isRefused: false, waitMs: 0 };
}
