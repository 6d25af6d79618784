// Assertions that stay on in production, and the error they raise; knows nothing of what is asserted.

import { InvariantError } from './errors.ts';

/**
 * Checks an invariant of our own code. A failure is our fault: it stops the task, whose last commit stays.
 * @throws {InvariantError} when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * What must be there, if our own code is right.
 * @throws {InvariantError} when it is not
 */
export function existing<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`there is no such ${what}`);
  return value;
}

/** Ends a switch over a closed union; the compiler refuses the call while a member is unhandled. */
export function exhaustive(value: never): never {
  throw new InvariantError(`unhandled case: ${JSON.stringify(value)}`);
}
