// Reads SELECT bodies clause by clause; it checks their order and nothing of their meaning.

import { COLUMNS_MAX } from '../base/limits.ts';
import type {
  Emit,
  Expression,
  Name,
  OrderItem,
  Query,
  SelectItem,
  SourceReference,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseExpressionAt, parseOperandAt } from './expression.ts';
import { JOINS } from './parts.ts';
import { parseDuration, parseWindow } from './window.ts';

const CLAUSES: ReadonlySet<string> = new Set(
  'FROM WINDOW WHERE GROUP PARTITION HAVING ORDER EMIT LIMIT JOIN'.split(' '),
);

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
    orderBy: cursor.acceptPhrase('ORDER', 'BY') ? cursor.list(() => orderItem(cursor)) : null,
    emit: acceptEmit(cursor),
    limit: cursor.accept('LIMIT') ? cursor.wholeNumber('a number of rows') : null,
    at,
  };
}

const CONDITION_STARTS: ReadonlySet<string> = new Set(
  'AND OR NOT IS IN LIKE BETWEEN = <> < <= > >='.split(' '),
);

/** What to say when a query goes on with the current token: a condition, a clause out of order, or nothing. */
export function clauseHint(cursor: Cursor): string {
  if (CONDITION_STARTS.has(cursor.token.key)) return 'A condition goes in parentheses here.';
  if (!CLAUSES.has(cursor.token.key)) return '';
  return 'The clauses of a query are in this order: FROM, JOIN, WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, ORDER BY, EMIT, LIMIT.';
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
    const source = cursor.name('a source');
    cursor.advance();
    cursor.advance();
    return { kind: 'Star', source, at };
  }
  const expression = parseExpressionAt(cursor);
  if (cursor.is('->')) {
    if (!isPrimary(expression)) {
      cursor.refuseAs('structStar');
    }
    cursor.advance();
    cursor.expect('*');
    return { kind: 'StructStar', operand: expression, at };
  }
  return { kind: 'Item', expression, alias: acceptAlias(cursor, 'a column name'), at };
}

function isPrimary(expression: Expression): boolean {
  switch (expression.kind) {
    case 'Column':
    case 'Field':
    case 'Subscript':
    case 'Call':
    case 'Struct':
    case 'Cast':
    case 'SimpleCase':
    case 'SearchedCase':
      return true;
    default:
      return false;
  }
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

/**
 * The list of GROUP BY or PARTITION BY: `a, b`, `(a, b)` or `()`. Parentheses are the list's own when a comma
 * stands directly within them; else they belong to the first expression.
 */
function expressionList(cursor: Cursor): Expression[] {
  if (!cursor.is('(') || !enclosesList(cursor)) return cursor.list(() => parseOperandAt(cursor));
  cursor.advance();
  if (cursor.accept(')')) return [];
  const expressions = cursor.list(() => parseOperandAt(cursor));
  cursor.expect(')');
  return expressions;
}

function enclosesList(cursor: Cursor): boolean {
  if (cursor.peek(1).key === ')') return true;
  let open = 1;
  for (let ahead = 1; open > 0; ahead++) {
    const { kind, key } = cursor.peek(ahead);
    if (kind === 'end') return false;
    if (key === '(' || key === '[') open++;
    else if (key === ')' || key === ']') open--;
    else if (key === ',' && open === 1) return true;
  }
  return false;
}

function orderItem(cursor: Cursor): OrderItem {
  const { at } = cursor.token;
  const expression = parseOperandAt(cursor);
  if (cursor.accept('DESC')) return { expression, direction: 'DESC', at };
  cursor.accept('ASC');
  return { expression, direction: 'ASC', at };
}

function acceptEmit(cursor: Cursor): Emit | null {
  const { at } = cursor.token;
  if (!cursor.accept('EMIT')) return null;
  if (cursor.accept('FINAL')) return { mode: 'FINAL', every: null, at };
  cursor.expect('CHANGES');
  const every = cursor.accept('EVERY') ? parseDuration(cursor) : null;
  return { mode: 'CHANGES', every, at };
}
