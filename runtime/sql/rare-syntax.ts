// Reads what few statements hold: rarer constants, types, windows and constraints, lists in parentheses, ->*, ORDER BY; knows no meaning.

import type { Position } from '../base/errors.ts';
import type {
  ColumnConstraint,
  Expression,
  Literal,
  Name,
  OrderItem,
  SelectItem,
  TypeName,
  Window,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { refuseDeep } from './depth.ts';
import { parseOperandAt } from './expression.ts';
import { bounds, inParentheses, parseDuration, sized } from './window.ts';

export { refuseDeep } from './depth.ts';
export { rareToken } from './rare-tokens.ts';

const INT_MIN = -(2n ** 31n);
const INT_MAX = 2n ** 31n - 1n;
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;

/** A constant that has been found to start here and is no text and no small number. */
export function rareLiteral(cursor: Cursor): Literal {
  const { kind, key, at } = cursor.token;
  if (kind !== 'word') return number(cursor, key === '-' ? '-' : '');
  cursor.advance();
  return key === 'NULL' ? { kind: 'Null', at } : { kind: 'Boolean', value: key === 'TRUE', at };
}

function number(cursor: Cursor, sign: '-' | ''): Literal {
  const { at } = cursor.token;
  if (sign === '-') cursor.advance();
  const { kind, text } = cursor.token;
  const literal =
    kind === 'integer' ? whole(cursor, sign + text) : fractional(cursor, sign, kind, text);
  cursor.advance();
  return { ...literal, at };

  function whole(cursor: Cursor, written: string): Literal {
    const value = BigInt(written);
    if (value >= INT_MIN && value <= INT_MAX) return { kind: 'Integer', value: Number(value), at };
    if (value >= BIGINT_MIN && value <= BIGINT_MAX) return { kind: 'Long', value, at };
    cursor.refuseAs('bigint', shortened(written), at);
  }

  function fractional(cursor: Cursor, sign: string, kind: string, text: string): Literal {
    if (kind === 'decimal') return { kind: 'Decimal', text: decimalText(sign, text), at };
    const value = Number(sign + text);
    if (!Number.isFinite(value)) cursor.refuseAs('double', shortened(sign + text), at);
    return { kind: 'Double', value, at };
  }
}

/** One zero before the point where there is no other digit, no sign before zero. */
function decimalText(sign: string, written: string): string {
  const point = written.indexOf('.');
  let first = 0;
  while (written.charAt(first) === '0') first++;
  const before = written.slice(Math.min(first, point), point);
  const after = written.slice(point + 1);
  const text = `${before === '' ? '0' : before}${after === '' ? '' : '.'}${after}`;
  return sign === '-' && /[1-9]/.test(text) ? `-${text}` : text;
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

/** A type of any form. */
export function rareType(cursor: Cursor): TypeName {
  const type = typeName(cursor);
  refuseDeep(cursor, type);
  return type;
}

function typeName(cursor: Cursor): TypeName {
  let type = prefixType(cursor);
  // `INT ARRAY` is the older spelling of ARRAY<INT>.
  while (cursor.is('ARRAY')) {
    type = { kind: 'ArrayType', element: type, at: cursor.advance().at };
  }
  return type;
}

function prefixType(cursor: Cursor): TypeName {
  const { at } = cursor.token;
  if (cursor.looksAt('ARRAY', '<')) {
    return inAngles(cursor, () => ({ kind: 'ArrayType', element: typeName(cursor), at }));
  }
  if (cursor.looksAt('MAP', '<')) {
    return inAngles(cursor, () => {
      const key = typeName(cursor);
      cursor.expect(',');
      return { kind: 'MapType', key, value: typeName(cursor), at };
    });
  }
  if (cursor.looksAt('STRUCT', '<>')) {
    cursor.advance();
    cursor.advance();
    return { kind: 'StructType', fields: [], at };
  }
  if (cursor.looksAt('STRUCT', '<')) {
    return inAngles(cursor, () => {
      const fields = cursor.is('>') ? [] : cursor.list(() => structField(cursor));
      return { kind: 'StructType', fields, at };
    });
  }
  if (cursor.is('DECIMAL')) {
    cursor.advance();
    cursor.expect('(', 'DECIMAL has a precision and a scale: DECIMAL(10, 2).');
    const precision = cursor.wholeNumber('a precision');
    cursor.expect(',', 'DECIMAL has a precision and a scale: DECIMAL(10, 2).');
    const scale = cursor.wholeNumber('a scale');
    cursor.expect(')');
    return { kind: 'DecimalType', precision, scale, at };
  }
  const name = cursor.name('a type');
  return { kind: 'NamedType', name, parameters: typeParameters(cursor), at };
}

function structField(cursor: Cursor): { name: Name; type: TypeName } {
  const name = cursor.name('a field name');
  return { name, type: typeName(cursor) };
}

/** Lengths mean nothing; ksqlDB also takes the word STRING for one, which is dropped. */
function typeParameters(cursor: Cursor): number[] {
  if (!cursor.accept('(')) return [];
  const parameters = cursor.list(() =>
    cursor.accept('STRING') ? [] : [cursor.wholeNumber('a length')],
  );
  cursor.expect(')');
  return parameters.flat();
}

function inAngles<T>(cursor: Cursor, inner: () => T): T {
  cursor.advance();
  cursor.advance();
  const result = cursor.nested(inner);
  cursor.expect('>');
  return result;
}

/** What follows WINDOW, a name aside, where it is not TUMBLING. */
export function rareWindow(cursor: Cursor, at: Position): Window {
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

/** What HEADERS or HEADER, which has been taken, says of a column. */
export function headerConstraint(cursor: Cursor): ColumnConstraint {
  if (cursor.before?.key === 'HEADERS') return { kind: 'Headers' };
  cursor.expect('(', "HEADER names the header it reads: HEADER('trace-id').");
  const key = cursor.string("a header's key in quotes");
  cursor.expect(')');
  return { kind: 'Header', key };
}

/** `source.*`, which has been found to start here. */
export function sourceStar(cursor: Cursor, at: Position): SelectItem {
  const source = cursor.name('a source');
  cursor.advance();
  cursor.advance();
  return { kind: 'Star', source, at };
}

/** `->*` behind the expression of a SELECT. */
export function structStar(cursor: Cursor, expression: Expression, at: Position): SelectItem {
  if (!isPrimary(expression)) {
    cursor.refuseAs('structStar');
  }
  cursor.advance();
  cursor.expect('*');
  return { kind: 'StructStar', operand: expression, at };
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

/**
 * The list of GROUP BY or PARTITION BY: `a, b`, `(a, b)` or `()`. Parentheses are the list's own when a comma
 * stands directly within them; else they belong to the first expression.
 */
export function enclosedList(cursor: Cursor): Expression[] {
  if (!enclosesList(cursor)) return cursor.list(() => parseOperandAt(cursor));
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

/** An expression of ORDER BY and its direction. */
export function orderItem(cursor: Cursor): OrderItem {
  const { at } = cursor.token;
  const expression = parseOperandAt(cursor);
  if (cursor.accept('DESC')) return { expression, direction: 'DESC', at };
  cursor.accept('ASC');
  return { expression, direction: 'ASC', at };
}
