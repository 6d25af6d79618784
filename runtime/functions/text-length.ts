// The bound on what a function of text or bytes makes; knows no function.

import { RecordError } from '../base/errors.ts';
import { TEXT_LENGTH_MAX } from '../base/limits.ts';

/**
 * Asked before a text or bytes of that length are made, so that one row cannot exhaust the memory.
 * @throws {RecordError} EXPRESSION beyond TEXT_LENGTH_MAX
 */
export function checkLength(length: number): void {
  if (length <= TEXT_LENGTH_MAX) return;
  const message = `the result would be ${length} long, and ${TEXT_LENGTH_MAX} is the most`;
  throw new RecordError('EXPRESSION', message);
}

/** The sum of the lengths of texts or bytes; see `checkLength`. */
export function lengthOf(parts: readonly { readonly length: number }[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}
