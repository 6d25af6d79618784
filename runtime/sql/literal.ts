// Reads plain constants, and finds the rarer ones, which rare-syntax.ts reads; knows nothing of columns.

import type { Literal } from './ast.ts';
import type { Cursor } from './cursor.ts';
import type { Token } from './lexer.ts';
import { RARE_SYNTAX } from './parts.ts';

/** So many digits are an INTEGER whatever they are. */
const INTEGER_DIGITS = 9;

/** The constant that starts at the current token, or null when none does; a `-` counts only directly before a number. */
export function acceptLiteral(cursor: Cursor): Literal | null {
  const { token } = cursor;
  const { kind, text, at } = token;
  if (kind === 'string') return { kind: 'String', value: cursor.advance().text, at };
  if (kind === 'integer' && text.length <= INTEGER_DIGITS)
    return { kind: 'Integer', value: Number(cursor.advance().text), at };
  const isRare =
    (kind === 'word' && /^(NULL|TRUE|FALSE)$/.test(token.key)) ||
    isNumber(kind === 'symbol' && token.key === '-' ? cursor.peek(1) : token);
  return isRare ? RARE_SYNTAX.code.rareLiteral(cursor) : null;
}

function isNumber({ kind }: Token): boolean {
  return kind === 'integer' || kind === 'decimal' || kind === 'double';
}
