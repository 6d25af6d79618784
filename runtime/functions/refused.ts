// The fault of a call for an argument that it cannot take; knows no function.

import { RecordError } from '../base/errors.ts';

/** More of an argument says no more, and fills the processing log. */
const SHOWN_LENGTH_MAX = 60;

/** `'argument' is no mask: …`, the argument cut where it is long. */
export function refused(argument: string, why: string): RecordError {
  const shown =
    argument.length <= SHOWN_LENGTH_MAX ? argument : `${argument.slice(0, SHOWN_LENGTH_MAX)}...`;
  return new RecordError('EXPRESSION', `'${shown}' ${why}`);
}
