// Reads the operands of expressions: names, calls and parentheses, and what may follow them; the rarer ones are in rare-operands.ts. Knows no function.

import type { Call, Expression, Literal, Name, TimeUnit } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { RARE_OPERANDS } from './parts.ts';

/** How an operand reads the expressions inside it: expression.ts gives itself, so that neither file imports the other in a circle. */
export interface Inner {
  /** Any expression, a condition too. */
  expression(cursor: Cursor): Expression;
  /** One without a condition at its top. */
  operand(cursor: Cursor): Expression;
}

/** Every spelling of a unit of time. */
export const UNITS: ReadonlyMap<string, TimeUnit> = new Map([
  ['MILLISECOND', 'MILLISECONDS'],
  ['MILLISECONDS', 'MILLISECONDS'],
  ['SECOND', 'SECONDS'],
  ['SECONDS', 'SECONDS'],
  ['MINUTE', 'MINUTES'],
  ['MINUTES', 'MINUTES'],
  ['HOUR', 'HOURS'],
  ['HOURS', 'HOURS'],
  ['DAY', 'DAYS'],
  ['DAYS', 'DAYS'],
]);

/** An operand with the subscripts and dereferences behind it. @param operand the literal that it begins with; null: it begins with none */
export function parsePostfix(cursor: Cursor, inner: Inner, operand: Literal | null): Expression {
  const left = operand ?? primary(cursor, inner);
  const isRare = cursor.is('[') || (cursor.is('->') && cursor.peek(1).key !== '*');
  return isRare ? RARE_OPERANDS.code.postfix(cursor, inner, left) : left;
}

function primary(cursor: Cursor, inner: Inner): Expression {
  const { token } = cursor;
  const next = cursor.peek(1);
  const isRare =
    !cursor.isName() || (/^(ARRAY|MAP|STRUCT)$/.test(token.key) && /^[[(]$/.test(next.key));
  const rare = isRare ? RARE_OPERANDS.code.rareOperand(cursor, inner) : null;
  if (rare !== null) return rare;
  const name = cursor.name('an expression');
  if (cursor.is('(')) return call(cursor, inner, name);
  return cursor.is('.') || cursor.token.kind === 'string'
    ? RARE_OPERANDS.code.behindName(cursor, name)
    : { kind: 'Column', source: null, name, at: name.at };
}

function call(cursor: Cursor, inner: Inner, name: Name): Call {
  cursor.advance();
  const { at } = name;
  if (cursor.is('*')) {
    cursor.advance();
    cursor.expect(')');
    return { kind: 'Call', name, arguments: [], star: true, at };
  }
  if (cursor.is('DISTINCT')) {
    cursor.refuseAs('callDistinct');
  }
  const parameters = cursor.accept(')') ? [] : cursor.list(() => argument(cursor, inner));
  if (parameters.length > 0) cursor.expect(')');
  return { kind: 'Call', name, arguments: parameters, star: false, at };
}

function argument(cursor: Cursor, inner: Inner): Expression {
  const { key } = cursor.token;
  // It may be a lambda, or a unit of time.
  return cursor.peek(1).key === '=>' || key === '(' || UNITS.has(key)
    ? RARE_OPERANDS.code.rareArgument(cursor, inner)
    : inner.expression(cursor);
}
