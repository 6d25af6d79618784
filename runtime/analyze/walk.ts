// Looks through expressions as written: equality whatever their place, and the first node of a kind; knows no meaning.

import type { Column, Expression } from '../sql/ast.ts';
import { PRINT_EXPRESSION } from '../sql/parts.ts';

/**
 * True when both say the same thing: places aside, and a column with or without its source's name, since queries over one source
 * need none, and in those over several every column has it.
 */
export function sameExpression(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item: unknown, index) => sameExpression(item, b[index]));
  }
  if (isColumn(a) && isColumn(b)) {
    const isSameSource = a.source === null || b.source === null || a.source.text === b.source.text;
    return isSameSource && a.name.text === b.name.text;
  }
  const left = parts(a);
  const right = new Map(parts(b));
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && sameExpression(value, right.get(name)))
  );
}

function isColumn(node: object): node is Column {
  return 'kind' in node && node.kind === 'Column';
}

function parts(node: object): [string, unknown][] {
  return Object.entries(node).filter(([name]) => name !== 'at');
}

/** The first node for which `matches` is true, outermost first, or null. */
export function findNode(
  node: Expression,
  matches: (candidate: Expression) => boolean,
): Expression | null {
  return search(node, matches);
}

function search(node: object, matches: (candidate: Expression) => boolean): Expression | null {
  if (isExpression(node) && matches(node)) return node;
  for (const name of Object.keys(node)) {
    const part: unknown = node[name as never];
    if (name === 'at' || typeof part !== 'object' || part === null) continue;
    const found = search(part, matches);
    if (found !== null) return found;
  }
  return null;
}

/** Type names, WHEN branches and names are parts of expressions, but none themselves. */
function isExpression(node: object): node is Expression {
  return 'kind' in node && typeof node.kind === 'string' && !node.kind.endsWith('Type');
}

/** Characters of an expression that a message shows. */
const SHOWN_LENGTH_MAX = 60;

/** The expression as messages name it. @throws {PartMissing} the first time */
export function shortText(node: Expression): string {
  const text = PRINT_EXPRESSION.code.printExpression(node);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text;
}
