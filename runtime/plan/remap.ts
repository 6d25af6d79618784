// Moves expressions to another schema: column positions replaced, everything else kept; knows no steps.

import { assert } from '../base/assert.ts';
import type { Expr } from '../expr/expr.ts';

/** Where columns of one schema stand in another, by position. */
export type Layout = ReadonlyMap<number, number>;

/** The position after the move. @throws {InvariantError} for a column that was not carried along */
export function moved(layout: Layout, index: number): number {
  const position = layout.get(index);
  assert(position !== undefined, `column ${index} was not carried along`);
  return position;
}

/** The same expression over the other schema. */
export function remapped(of: Expr, layout: Layout): Expr {
  const to = (part: Expr): Expr => remapped(part, layout);
  switch (of.expr) {
    case 'column':
      return { ...of, index: moved(layout, of.index) };
    case 'literal':
    case 'parameter':
      return of;
    case 'call':
      return { ...of, arguments: of.arguments.map(to) };
    case 'cast':
    case 'not':
    case 'isNull':
    case 'negate':
      return { ...of, argument: to(of.argument) };
    case 'compare':
    case 'distinct':
    case 'logic':
    case 'arithmetic':
    case 'concat':
      return { ...of, left: to(of.left), right: to(of.right) };
    case 'in':
      return { ...of, argument: to(of.argument), list: of.list.map(to) };
    case 'like':
      return { ...of, argument: to(of.argument), pattern: to(of.pattern) };
    case 'case':
      return {
        ...of,
        branches: of.branches.map((branch) => ({ when: to(branch.when), then: to(branch.then) })),
        otherwise: of.otherwise === null ? null : to(of.otherwise),
      };
    case 'subscript':
      return { ...of, base: to(of.base), index: to(of.index) };
    case 'field':
      return { ...of, base: to(of.base) };
    case 'array':
      return { ...of, items: of.items.map(to) };
    case 'map':
      return {
        ...of,
        entries: of.entries.map((entry) => ({ key: to(entry.key), value: to(entry.value) })),
      };
    case 'struct':
      return { ...of, fields: of.fields.map(to) };
    case 'lambda':
      return { ...of, body: to(of.body) };
  }
}
