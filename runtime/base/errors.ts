// The closed union of errors that millrace raises; each class says whose fault it is. Knows no transport.

/** Where something stands in SQL text; both are 1-based, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a statement. `SYNTAX` is the parser's; all others come after parsing. */
export type StatementCode =
  | 'SYNTAX' // not the language
  | 'UNKNOWN_SOURCE' // names a stream or table that does not exist
  | 'UNKNOWN_COLUMN'
  | 'UNKNOWN_FUNCTION' // no such function, or none for these argument types
  | 'UNKNOWN_QUERY'
  | 'UNKNOWN_TOPIC'
  | 'ALREADY_EXISTS'
  | 'IN_USE' // something reads or writes what would be dropped
  | 'TYPE_MISMATCH'
  | 'INVALID' // well-formed, but against a rule of the language
  | 'UNSUPPORTED' // the language has it, millrace does not yet
  | 'LIMIT'; // beyond a named limit

/** The writer of the SQL is at fault. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly code: StatementCode;
  readonly position: Position | null;
  /** What to do about it, as one sentence, or '' when the message says all. */
  readonly hint: string;
  constructor(code: StatementCode, message: string, at: Position | null = null, hint = '') {
    super(at === null ? message : `line ${at.line}:${at.column}: ${message}`);
    this.code = code;
    this.position = at;
    this.hint = hint;
  }
}

/** Why one record could not be used. */
export type RecordCode =
  | 'DESERIALIZATION' // the bytes are not the declared format or type
  | 'TIMESTAMP' // no usable timestamp in the declared column
  | 'EXPRESSION' // an expression failed on this row; its column is null
  | 'SERIALIZATION'
  | 'DEAD_LETTER'; // the record made a task fail repeatedly

/** One bad record is at fault; it is logged, counted and skipped. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
  readonly code: RecordCode;
  /** The column or JSON path at fault, or '' when it is the record as a whole. */
  readonly field: string;
  constructor(
    code: RecordCode,
    message: string,
    field = '',
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.field = field;
  }
}

/**
 * Records that were taken at once make more than they may (MADE_BYTES_MAX, MADE_ROWS_MAX, BATCH_WEIGHT_MAX): they are taken again, fewer at a
 * time, until one alone does.
 * @throws {RecordError} DEAD_LETTER
 */
export function madeTooMuch(): never {
  throw new RecordError('DEAD_LETTER', 'it makes more than one may (MADE_BYTES_MAX)');
}

/** What a port (log or store) refuses, with what the caller may do next. */
export type PortCode =
  | 'UNKNOWN_TOPIC'
  | 'UNKNOWN_PARTITION'
  | 'TOPIC_EXISTS'
  | 'OFFSET_OUT_OF_RANGE' // below the log's start or beyond its end
  | 'INCARNATION_CHANGED' // the topic was dropped and created again, or restored
  | 'FENCED' // a newer epoch owns this producer or task
  | 'OUT_OF_ORDER_SEQUENCE'
  | 'UNKNOWN_PRODUCER' // older than the partition's memory of producers
  | 'SEQUENCE_REUSED' // the same sequence with another body
  | 'RECORD_TOO_LARGE'
  | 'INVALID_TIMESTAMP'
  | 'INVALID_BATCH'
  | 'INVALID_RECORD' // a record that its topic cannot hold: without a key on a compacted one
  | 'CORRUPT' // stored bytes fail their checksum
  | 'STORAGE_FULL'
  | 'LOCKED' // another tab or process holds the writing lock
  | 'OVERLOADED' // more waits than may, and nothing was done: try again later
  | 'UNAVAILABLE'; // a passing fault: try again

/** A log or a store refused; `detail` carries numbers a client can act on (expected sequence, start, end). */
export class PortError extends Error {
  override readonly name = 'PortError';
  readonly code: PortCode;
  readonly detail: Readonly<Record<string, number | string>>;
  constructor(
    code: PortCode,
    message: string,
    detail: Readonly<Record<string, number | string>> = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.detail = detail;
  }
}

/** True for a refusal that the same call may outlive, tried again later. A storage is full until somebody makes room, but for limits of ours (`detail.limit`). */
export function isPassing(thrown: unknown): thrown is PortError {
  if (!(thrown instanceof PortError)) return false;
  const { code, detail } = thrown;
  return (
    code === 'UNAVAILABLE' ||
    code === 'OVERLOADED' ||
    (code === 'STORAGE_FULL' && detail['limit'] === undefined)
  );
}

/** A named limit was reached; nothing was changed. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
  /** The constant's name in base/limits.ts. */
  readonly limit: string;
  constructor(limit: string, message: string) {
    super(message);
    this.limit = limit;
  }
}

/** State on disk is wrong: it is wiped and rebuilt from the earliest retained offset. */
export class TaskCorrupted extends Error {
  override readonly name = 'TaskCorrupted';
}

/** A bug of ours: the task stops and keeps its last commit. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export type MillraceError =
  | StatementError
  | RecordError
  | PortError
  | LimitError
  | TaskCorrupted
  | InvariantError;

/** The text of anything thrown, for logs and messages. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
