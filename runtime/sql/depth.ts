// Measures how deep a tree nests, so that everything behind the parser may recurse over it; knows nodes only by their `kind`.

import type { Position } from '../base/errors.ts';
import { AST_DEPTH_MAX } from '../base/limits.ts';
import type { Expression, TypeName } from './ast.ts';
import type { Cursor } from './cursor.ts';

/**
 * Refuses an expression or a type that nests deeper than AST_DEPTH_MAX. `a + a + a ...` nests once per
 * operator without the parser recursing, which is why its own count of levels is not enough.
 */
export function refuseDeep(cursor: Cursor, root: Expression | TypeName): void {
  const pending: { readonly value: unknown; readonly depth: number }[] = [
    { value: root, depth: 0 },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > AST_DEPTH_MAX && isNode(value)) cursor.refuseDepth(value.at);
    const inner = isNode(value) ? depth + 1 : depth;
    for (const part of Object.values(value)) pending.push({ value: part, depth: inner });
  }
}

function isNode(value: object): value is { readonly kind: string; readonly at: Position } {
  return 'kind' in value;
}
