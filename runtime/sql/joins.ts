// Reads the joins of a query; whether they can be done is decided later.

import type { Duration, Join, Within } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseExpressionAt } from './expression.ts';
import { sourceReference } from './query.ts';
import { parseDuration } from './window.ts';

/** What follows the first source, as long as it is a JOIN. */
export function parseJoins(cursor: Cursor): Join[] {
  const joins: Join[] = [];
  for (let join = acceptJoin(cursor); join !== null; join = acceptJoin(cursor)) joins.push(join);
  return joins;
}

function acceptJoin(cursor: Cursor): Join | null {
  const { at } = cursor.token;
  const type = acceptJoinType(cursor);
  if (type === null) return null;
  const right = sourceReference(cursor);
  const within = cursor.accept('WITHIN') ? parseWithin(cursor) : null;
  cursor.expect('ON', 'A join says which columns must be equal: ON a.id = b.id.');
  return { type, right, within, on: parseExpressionAt(cursor), at };
}

function acceptJoinType(cursor: Cursor): Join['type'] | null {
  if (cursor.accept('JOIN')) return 'INNER';
  if (cursor.is(',')) {
    cursor.refuseAs('secondSource');
  }
  for (const type of ['INNER', 'LEFT', 'RIGHT', 'FULL'] as const) {
    if (!cursor.is(type)) continue;
    cursor.advance();
    if (type !== 'INNER') cursor.accept('OUTER');
    cursor.expect('JOIN');
    return type;
  }
  return null;
}

/** What follows WITHIN. */
function parseWithin(cursor: Cursor): Within {
  const { at } = cursor.token;
  let before: Duration;
  let after: Duration;
  if (cursor.accept('(')) {
    before = parseDuration(cursor);
    cursor.expect(',');
    after = parseDuration(cursor);
    cursor.expect(')');
  } else {
    before = parseDuration(cursor);
    after = before;
  }
  const grace = cursor.acceptPhrase('GRACE', 'PERIOD') ? parseDuration(cursor) : null;
  return { before, after, grace, at };
}
