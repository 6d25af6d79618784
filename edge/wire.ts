// Results and errors as values between objects, because a class does not survive a call; knows no object.

import {
  InvariantError,
  LimitError,
  messageOf,
  PortError,
  type PortCode,
  StatementError,
} from '../runtime/base/errors.ts';
import type { Position, StatementCode } from '../runtime/base/errors.ts';

/** An error of ours as plain data. */
export type WireError =
  | {
      readonly name: 'PortError';
      readonly code: PortCode;
      readonly message: string;
      readonly detail: Readonly<Record<string, number | string>>;
    }
  | {
      readonly name: 'StatementError';
      readonly code: StatementCode;
      readonly message: string;
      readonly position: Position | null;
      readonly hint: string;
    }
  | { readonly name: 'LimitError'; readonly limit: string; readonly message: string }
  | { readonly name: 'InvariantError'; readonly message: string };

export type Wire<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

/** Runs the synchronous body of a method of an object. */
export function settle<T>(body: () => T): Wire<T> {
  try {
    return { ok: true, value: body() };
  } catch (thrown) {
    return { ok: false, error: toWire(thrown) };
  }
}

/** Runs the asynchronous body of a method of an object. */
export async function settleAsync<T>(body: () => Promise<T>): Promise<Wire<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (thrown) {
    return { ok: false, error: toWire(thrown) };
  }
}

/**
 * The value of a call to an object.
 * @throws the error that the object answered with; {PortError} UNAVAILABLE when the call itself failed, whose outcome
 *   is then unknown
 */
export async function unwrap<T>(call: Promise<Wire<T>>): Promise<T> {
  const wire = await answered(call);
  if (wire.ok) return wire.value;
  throw fromWire(wire.error);
}

/** What a call comes to. @throws {PortError} UNAVAILABLE when the call itself failed, whose outcome is then unknown */
export async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw noAnswer(thrown);
  }
}

/** The refusal when a call to an object has failed: its outcome is then unknown. */
export function noAnswer(cause?: unknown): PortError {
  return new PortError('UNAVAILABLE', 'an object did not answer', {}, { cause });
}

/** Anything thrown as a value. */
export function toWire(thrown: unknown): WireError {
  if (thrown instanceof PortError) {
    return { name: 'PortError', code: thrown.code, message: thrown.message, detail: thrown.detail };
  }
  if (thrown instanceof StatementError) {
    const { code, position, hint } = thrown;
    // The class puts line and column before the message; it will again on the other side.
    const message = thrown.message.replace(/^line \d+:\d+: /, '');
    return { name: 'StatementError', code, message, position, hint };
  }
  if (thrown instanceof LimitError) {
    return { name: 'LimitError', limit: thrown.limit, message: thrown.message };
  }
  if (isStorageFull(thrown)) {
    const message = 'the storage of an object is full';
    return { name: 'PortError', code: 'STORAGE_FULL', message, detail: {} };
  }
  if (isStorageBusy(thrown)) {
    const message = 'the storage of an object is locked for now';
    return { name: 'PortError', code: 'UNAVAILABLE', message, detail: {} };
  }
  return { name: 'InvariantError', message: messageOf(thrown) };
}

/** True while an instance before this one is still being closed: no fault of whoever asks. */
function isStorageBusy(thrown: unknown): boolean {
  return /SQLITE_BUSY|database is locked/.test(messageOf(thrown));
}

/** True for SQLite's refusal to grow the file. */
export function isStorageFull(thrown: unknown): boolean {
  return /SQLITE_FULL|database or disk is full/.test(messageOf(thrown));
}

/** The error that a value stands for. */
export function fromWire(error: WireError): Error {
  switch (error.name) {
    case 'PortError':
      return new PortError(error.code, error.message, error.detail);
    case 'StatementError':
      return new StatementError(error.code, error.message, error.position, error.hint);
    case 'LimitError':
      return new LimitError(error.limit, error.message);
    case 'InvariantError':
      return new InvariantError(error.message);
  }
}
