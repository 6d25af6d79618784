// Which conditions of a WHERE hold before a join what they hold behind it, so that fewer rows move and are joined; knows no step.

import type { FromJoin } from '../analyze/analysis.ts';
import { columnsRead, type Expr, operands } from '../expr/expr.ts';
import { splitNeeded } from './join-sides.ts';
import { remapped } from './remap.ts';

/** Operators that fail for no row: nothing is told of a row that the join would not have let pass. */
const NEVER_FAIL = new Set<Expr['expr']>([
  'column',
  'literal',
  'compare',
  'distinct',
  'logic',
  'not',
  'isNull',
  'in',
]);

/** A condition in two parts. */
export interface SplitCondition {
  /** Over the row of the left side; null: none. */
  readonly before: Expr | null;
  /** Over the row of the join; null: none is left. */
  readonly behind: Expr | null;
}

/**
 * Takes out of a condition what only reads the stream of a join with a table. Whether a row of that is joined and then passes, or passes and
 * then is joined, is the same; of other joins it is not: rows that do not reach them would not move their time, or end what stands.
 */
export function beforeJoin(join: FromJoin, condition: Expr): SplitCondition {
  if (join.kind !== 'streamTable') return { before: null, behind: condition };
  const isBefore = (part: Expr): boolean => {
    const read = new Set(columnsRead(part));
    return read.size > 0 && neverFails(part) && splitNeeded(join, read).left.size === read.size;
  };
  const parts = partsOf(condition);
  const early = parts.filter(isBefore);
  const before = together(early);
  if (before === null) return { before, behind: condition };
  const { left, leftAt } = splitNeeded(join, new Set(columnsRead(before)));
  const layout = new Map([...left].map((index) => [leftAt(index), index]));
  return {
    before: remapped(before, layout),
    behind: together(parts.filter((part) => !early.includes(part))),
  };
}

/** What must all be true. */
function partsOf(condition: Expr): readonly Expr[] {
  return condition.expr === 'logic' && condition.op === 'AND'
    ? [...partsOf(condition.left), ...partsOf(condition.right)]
    : [condition];
}

function together([first, ...others]: readonly Expr[]): Expr | null {
  if (first === undefined) return null;
  return others.reduce<Expr>(
    (left, right) => ({ expr: 'logic', op: 'AND', left, right, type: left.type }),
    first,
  );
}

function neverFails(of: Expr): boolean {
  return NEVER_FAIL.has(of.expr) && operands(of).every(neverFails);
}
