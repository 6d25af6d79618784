// Reads SELECT bodies clause by clause; it checks their order and nothing of their meaning.

import { COLUMNS_MAX } from '../base/limits.ts';
import type { Emit, Expression, Name, Query, SelectItem, SourceReference } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseExpressionAt, parseOperandAt } from './expression.ts';
import { JOINS, RARE_SYNTAX } from './parts.ts';
import { parseDuration, parseWindow } from './window.ts';

const JOIN_STARTS: ReadonlySet<string> = new Set(', JOIN INNER LEFT RIGHT FULL'.split(' '));

/** A query, from its SELECT to the end of the statement. */
export function parseQuery(cursor: Cursor): Query {
  const { at } = cursor.expect('SELECT');
  if (cursor.is('DISTINCT')) {
    cursor.refuseAs('selectDistinct');
  }
  const items = selectItems(cursor);
  cursor.expect('FROM');
  const from = sourceReference(cursor);
  const joins = JOIN_STARTS.has(cursor.token.key) ? JOINS.code.parseJoins(cursor) : [];
  return {
    kind: 'Query',
    items,
    from,
    joins,
    window: cursor.accept('WINDOW') ? parseWindow(cursor) : null,
    where: cursor.accept('WHERE') ? parseExpressionAt(cursor) : null,
    groupBy: cursor.acceptPhrase('GROUP', 'BY') ? expressionList(cursor) : null,
    partitionBy: cursor.acceptPhrase('PARTITION', 'BY') ? expressionList(cursor) : null,
    having: cursor.accept('HAVING') ? parseExpressionAt(cursor) : null,
    orderBy: cursor.acceptPhrase('ORDER', 'BY')
      ? cursor.list(() => RARE_SYNTAX.code.orderItem(cursor))
      : null,
    emit: acceptEmit(cursor),
    limit: cursor.accept('LIMIT') ? cursor.wholeNumber('a number of rows') : null,
    at,
  };
}

function selectItems(cursor: Cursor): SelectItem[] {
  let count = 0;
  return cursor.list(() => {
    count++;
    if (count > COLUMNS_MAX) cursor.refuseAs('tooManySelected');
    return selectItem(cursor);
  });
}

function selectItem(cursor: Cursor): SelectItem {
  const { at } = cursor.token;
  if (cursor.accept('*')) return { kind: 'Star', source: null, at };
  if (cursor.isName() && cursor.peek(1).key === '.' && cursor.peek(2).key === '*') {
    return RARE_SYNTAX.code.sourceStar(cursor, at);
  }
  const expression = parseExpressionAt(cursor);
  if (cursor.is('->')) return RARE_SYNTAX.code.structStar(cursor, expression, at);
  return { kind: 'Item', expression, alias: acceptAlias(cursor, 'a column name'), at };
}

function acceptAlias(cursor: Cursor, what: string): Name | null {
  if (cursor.accept('AS')) return cursor.name(what);
  return cursor.isName() && !startsClause(cursor) ? cursor.bareAlias() : null;
}

/** Whether a word that may also be a name starts a clause here, so that it is no alias. */
function startsClause(cursor: Cursor): boolean {
  return cursor.is('EMIT') || cursor.looksAt('PARTITION', 'BY') || cursor.looksAt('ORDER', 'BY');
}

/** A source and what it goes by. */
export function sourceReference(cursor: Cursor): SourceReference {
  if (cursor.is('(')) {
    cursor.refuseAs('subquery');
  }
  const name = cursor.name('a stream or table name');
  return { name, alias: acceptAlias(cursor, 'an alias'), at: name.at };
}

function acceptEmit(cursor: Cursor): Emit | null {
  const { at } = cursor.token;
  if (!cursor.accept('EMIT')) return null;
  if (cursor.accept('FINAL')) return { mode: 'FINAL', every: null, at };
  cursor.expect('CHANGES');
  const every = cursor.accept('EVERY') ? parseDuration(cursor) : null;
  return { mode: 'CHANGES', every, at };
}

/** The list of GROUP BY or PARTITION BY, with parentheses of its own or without. */
function expressionList(cursor: Cursor): Expression[] {
  return cursor.is('(')
    ? RARE_SYNTAX.code.enclosedList(cursor)
    : cursor.list(() => parseOperandAt(cursor));
}
