// Makes an expression one of another type; which may become which is in coercion.ts. Knows no names and no functions.

import { type Type, typeEquals } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import { COERCION } from './parts.ts';

/** A typed NULL. */
export function nullOf(type: Type): Expr {
  return { expr: 'literal', value: null, type };
}

/**
 * The expression as that type: itself, a literal folded now, or a cast node. `null` is the untyped NULL. The caller has
 * checked that the types allow it.
 */
export function coerced(of: Expr | null, type: Type): Expr {
  if (of === null) return nullOf(type);
  if (typeEquals(of.type, type)) return of;
  const literal = of.expr === 'literal' ? COERCION.code.converted(of, type) : null;
  return literal ?? { expr: 'cast', argument: of, type };
}
