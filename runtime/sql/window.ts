// Reads spans of time and tumbling windows, other windows by rare-syntax.ts; whether a window suits a query is decided later.

import { durationMs } from './ast.ts';
import type { Duration, Window } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { RARE_SYNTAX, SYNTAX_ERROR } from './parts.ts';
import { UNITS } from './primary.ts';

/** `n unit`. */
export function parseDuration(cursor: Cursor): Duration {
  const { at } = cursor.token;
  const amount = cursor.wholeNumber('a span of time');
  const unit = UNITS.get(cursor.token.key);
  if (unit === undefined) {
    cursor.fail(...SYNTAX_ERROR.code.unitDue(cursor.token));
  }
  if (!Number.isSafeInteger(durationMs({ amount, unit }))) {
    cursor.refuseAs('tooLongATime', `${amount} ${unit}`, at);
  }
  cursor.advance();
  return { amount, unit, at };
}

/** What follows WINDOW. */
export function parseWindow(cursor: Cursor): Window {
  // ksqlDB lets a window be named, and nothing can refer to the name.
  if (cursor.isName() && cursor.peek(1).key !== '(') cursor.advance();
  const { at } = cursor.token;
  if (cursor.accept('TUMBLING')) {
    return inParentheses(cursor, () => {
      const size = sized(cursor);
      return { kind: 'Tumbling', size, ...bounds(cursor), at };
    });
  }
  return RARE_SYNTAX.code.rareWindow(cursor, at);
}

/** SIZE and what it is. */
export function sized(cursor: Cursor): Duration {
  cursor.expect('SIZE');
  return parseDuration(cursor);
}

/** RETENTION and GRACE PERIOD, each at most once and in either order. */
export function bounds(cursor: Cursor): { retention: Duration | null; grace: Duration | null } {
  let retention: Duration | null = null;
  let grace: Duration | null = null;
  while (cursor.accept(',')) {
    if (retention === null && cursor.accept('RETENTION')) retention = parseDuration(cursor);
    else if (grace === null && cursor.acceptPhrase('GRACE', 'PERIOD'))
      grace = parseDuration(cursor);
    else cursor.fail();
  }
  return { retention, grace };
}

/** What stands in parentheses. */
export function inParentheses<T>(cursor: Cursor, inner: () => T): T {
  cursor.expect('(');
  const result = inner();
  cursor.expect(')');
  return result;
}
