// Reads constants and gives numbers their type from the way they are written; knows nothing of columns.

import type { Literal } from './ast.ts';
import type { Cursor } from './cursor.ts';

const INT_MIN = -(2n ** 31n);
const INT_MAX = 2n ** 31n - 1n;
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;

/** The constant that starts at the current token, or null when none does; a `-` counts only directly before a number. */
export function acceptLiteral(cursor: Cursor): Literal | null {
  const { token } = cursor;
  switch (token.kind) {
    case 'string':
      return { kind: 'String', value: cursor.advance().text, at: token.at };
    case 'integer':
    case 'decimal':
    case 'double':
      return number(cursor, '');
    case 'symbol': {
      const next = cursor.peek(1).kind;
      if (token.key !== '-' || (next !== 'integer' && next !== 'decimal' && next !== 'double'))
        return null;
      return number(cursor, '-');
    }
    case 'word':
      switch (token.key) {
        case 'NULL':
          return { kind: 'Null', at: cursor.advance().at };
        case 'TRUE':
        case 'FALSE':
          return { kind: 'Boolean', value: token.key === 'TRUE', at: cursor.advance().at };
        default:
          return null;
      }
    default:
      return null;
  }
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
