// Reads type names as they are written, those of several tokens by rare-syntax.ts; which of them exist is not known here.

import type { TypeName } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { RARE_SYNTAX } from './parts.ts';

/** A type: a word, DECIMAL(p, s), or an ARRAY, MAP or STRUCT of types. */
export function parseType(cursor: Cursor): TypeName {
  if (!cursor.isName() || /^(\(|<|<>|ARRAY)$/.test(cursor.peek(1).key))
    return RARE_SYNTAX.code.rareType(cursor);
  const name = cursor.name('a type');
  return { kind: 'NamedType', name, parameters: [], at: name.at };
}
