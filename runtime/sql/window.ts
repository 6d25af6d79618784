// Reads spans of time and the windows made of them; whether a window suits a query is decided later.

import { durationMs } from './ast.ts';
import type { Duration, Window } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { UNITS } from './primary.ts';

/** `n unit`. */
export function parseDuration(cursor: Cursor): Duration {
  const { at } = cursor.token;
  const amount = cursor.wholeNumber('a span of time');
  const unit = UNITS.get(cursor.token.key);
  if (unit === undefined) {
    const tooLong = /^(WEEK|MONTH|YEAR)S?$/.test(cursor.token.key);
    cursor.fail(
      ['MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS'],
      tooLong ? 'The longest unit is DAYS.' : '',
    );
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
  if (cursor.accept('HOPPING')) {
    return inParentheses(cursor, () => {
      const size = sized(cursor);
      const hint = 'A hopping window has a size and a step: SIZE 1 HOUR, ADVANCE BY 5 MINUTES.';
      cursor.expect(',', hint);
      cursor.expect('ADVANCE', hint);
      cursor.expect('BY');
      const advance = parseDuration(cursor);
      return { kind: 'Hopping', size, advance, ...bounds(cursor), at };
    });
  }
  if (cursor.accept('SESSION')) {
    return inParentheses(cursor, () => {
      const gap = parseDuration(cursor);
      return { kind: 'Session', gap, ...bounds(cursor), at };
    });
  }
  if (!cursor.accept('SLIDING')) cursor.fail();
  return inParentheses(cursor, () => {
    const size = sized(cursor);
    return { kind: 'Sliding', size, ...bounds(cursor), at };
  });
}

function sized(cursor: Cursor): Duration {
  cursor.expect('SIZE');
  return parseDuration(cursor);
}

/** RETENTION and GRACE PERIOD, each at most once and in either order. */
function bounds(cursor: Cursor): { retention: Duration | null; grace: Duration | null } {
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

function inParentheses<T>(cursor: Cursor, inner: () => T): T {
  cursor.expect('(');
  const result = inner();
  cursor.expect(')');
  return result;
}
