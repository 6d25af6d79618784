// Errors as plain data, so that they cross between Worker and page with class, code, position, hint and detail.

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
  | { readonly name: 'TaskCorrupted' | 'InvariantError' | BuiltIn; readonly message: string };

type BuiltIn = 'TypeError' | 'RangeError' | 'Error';

/** Errors that cross with all that they hold. */
export const OWN_ERRORS = {
  StatementError,
  RecordError,
  PortError,
  LimitError,
  TaskCorrupted,
  InvariantError,
} as const;

function isOwn(thrown: unknown): thrown is Exclude<WireError, { name: BuiltIn }> {
  return Object.values(OWN_ERRORS).some((kind) => thrown instanceof kind);
}

export function toWire(thrown: unknown): WireError {
  const message = messageOf(thrown);
  if (isOwn(thrown)) return { ...thrown, message };
  const isType = thrown instanceof TypeError;
  return {
    name: isType ? 'TypeError' : thrown instanceof RangeError ? 'RangeError' : 'Error',
    message,
  };
}
