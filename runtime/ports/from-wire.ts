// Makes errors again of what has crossed as plain data (wire-error.ts); knows no transport.

import { OWN_ERRORS, type WireError } from './wire-error.ts';

/** The error, with class, code, position, hint and detail; its stack is of this side. */
export function fromWire(error: WireError): Error {
  const { message, ...held } = error;
  const { [held.name]: kind } = { ...OWN_ERRORS, TypeError, RangeError, Error };
  // Made again by hand: a constructor would put the position before the message once more.
  const made: Error = Object.setPrototypeOf(new Error(message), kind.prototype);
  return held.name in OWN_ERRORS ? Object.assign(made, held) : made;
}
