// Errors as plain data and back, so that they cross between Worker and page with class, code, position, hint and detail.

import {
  InvariantError,
  LimitError,
  messageOf,
  type PortCode,
  PortError,
  type Position,
  type RecordCode,
  RecordError,
  type StatementCode,
  StatementError,
  TaskCorrupted,
} from '../base/errors.ts';

/** A thrown value as structured clone takes it. Stacks stay behind: they belong to the other side. */
export type WireError =
  | {
      readonly name: 'StatementError';
      readonly code: StatementCode;
      readonly message: string;
      readonly position: Position | null;
      readonly hint: string;
    }
  | {
      readonly name: 'RecordError';
      readonly code: RecordCode;
      readonly message: string;
      readonly field: string;
    }
  | {
      readonly name: 'PortError';
      readonly code: PortCode;
      readonly message: string;
      readonly detail: PortError['detail'];
    }
  | { readonly name: 'LimitError'; readonly message: string; readonly limit: string }
  | {
      readonly name: 'TaskCorrupted' | 'InvariantError' | 'TypeError' | 'RangeError' | 'Error';
      readonly message: string;
    };

export function toWire(thrown: unknown): WireError {
  const message = messageOf(thrown);
  if (thrown instanceof StatementError) {
    const { name, code, position, hint } = thrown;
    return { name, code, message: withoutPosition(message, position), position, hint };
  }
  if (thrown instanceof RecordError) {
    return { name: thrown.name, code: thrown.code, message, field: thrown.field };
  }
  if (thrown instanceof PortError) {
    return { name: thrown.name, code: thrown.code, message, detail: { ...thrown.detail } };
  }
  if (thrown instanceof LimitError) return { name: thrown.name, message, limit: thrown.limit };
  if (thrown instanceof TaskCorrupted || thrown instanceof InvariantError) {
    return { name: thrown.name, message };
  }
  if (thrown instanceof TypeError) return { name: 'TypeError', message };
  if (thrown instanceof RangeError) return { name: 'RangeError', message };
  return { name: 'Error', message };
}

export function fromWire(error: WireError): Error {
  switch (error.name) {
    case 'StatementError':
      return new StatementError(error.code, error.message, error.position, error.hint);
    case 'RecordError':
      return new RecordError(error.code, error.message, error.field);
    case 'PortError':
      return new PortError(error.code, error.message, error.detail);
    case 'LimitError':
      return new LimitError(error.limit, error.message);
    case 'TaskCorrupted':
      return new TaskCorrupted(error.message);
    case 'InvariantError':
      return new InvariantError(error.message);
    case 'TypeError':
      return new TypeError(error.message);
    case 'RangeError':
      return new RangeError(error.message);
    case 'Error':
      return new Error(error.message);
  }
}

/** The message as it was given to the error, which puts its position before it. */
function withoutPosition(message: string, position: Position | null): string {
  const prefix = position === null ? '' : `line ${position.line}:${position.column}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
