// Types of comparisons, arithmetic, logic, BETWEEN, IN and LIKE, with their coercions; knows no functions.

import { type Position, StatementError } from '../base/errors.ts';
import { asDecimal } from '../data/common-type.ts';
import { WINDOWEND, WINDOWSTART } from '../data/schema.ts';
import { BIGINT, BOOLEAN, isNumeric, STRING, type Type, typeText } from '../data/type.ts';
import { parseTimestamp } from '../expr/datetime.ts';
import type { Comparison as ComparisonOperator, Expr } from '../expr/expr.ts';
import type {
  Arithmetic,
  Between,
  Comparison,
  Expression,
  In,
  IsDistinct,
  Like,
  Logical,
  Negate,
} from '../sql/ast.ts';
import { coerced } from './coerced.ts';
import { arithmeticType, commonType, isTemporal, literalText } from './coercion.ts';
import { withTextRead } from './text-literal.ts';
import { expect, known, type Typer } from './typer.ts';

const EQUALITY = new Set<ComparisonOperator>(['=', '<>']);

/** The type that two operands are compared in; text literals stand for points in time beside such. */
function comparedType(left: Type, right: Type): Type | null {
  if (left.kind === 'STRING' && isTemporal(right)) return right;
  if (right.kind === 'STRING' && isTemporal(left)) return left;
  return commonType(left, right);
}

function isOrdered(type: Type): boolean {
  return isNumeric(type) || isTemporal(type) || type.kind === 'STRING' || type.kind === 'BYTES';
}

/** `left op right` with both sides in one type. @throws {StatementError} TYPE_MISMATCH */
export function compared(
  op: ComparisonOperator,
  left: Expr | null,
  right: Expr | null,
  at: Position,
): Expr {
  if (left === null || right === null) {
    throw new StatementError(
      'TYPE_MISMATCH',
      'a comparison with NULL is never true',
      at,
      'Write IS NULL or IS NOT NULL.',
    );
  }
  const common = comparedType(left.type, right.type);
  if (common === null || (!EQUALITY.has(op) && !isOrdered(common))) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `cannot compare ${typeText(left.type)} with ${typeText(right.type)} by ${op}`,
      at,
      common === null
        ? 'CAST one side to the type of the other.'
        : `${typeText(common)} has no order.`,
    );
  }
  return {
    expr: 'compare',
    op,
    left: operand(left, common),
    right: operand(right, common),
    type: BOOLEAN,
  };
}

/** Decimals are compared with their own scales, so that no digit is lost. */
function operand(of: Expr, common: Type): Expr {
  return coerced(of, common.kind === 'DECIMAL' ? asDecimal(of.type) : common);
}

export function inferComparison(typer: Typer, node: Comparison): Expr {
  const left = typer.infer(node.left);
  const right = typer.infer(node.right);
  return compared(
    node.operator,
    pointInTime(left, node.left, node.right),
    pointInTime(right, node.right, node.left),
    node.at,
  );
}

/** Columns in ms that text is compared with as a point in time. */
const TIMES = new Set(['ROWTIME', WINDOWSTART, WINDOWEND]);

/** Text beside ROWTIME or a window bound, as milliseconds; anything else as it is. */
function pointInTime(value: Expr | null, node: Expression, beside: Expression): Expr | null {
  const text = literalText(value);
  if (text === null || beside.kind !== 'Column' || !TIMES.has(beside.name.text)) return value;
  const ms = parseTimestamp(text.trim(), true);
  if (ms !== null) return { expr: 'literal', value: String(ms), type: BIGINT };
  throw new StatementError(
    'TYPE_MISMATCH',
    `'${text}' is no point in time`,
    node.at,
    "Write it as '2026-01-31T12:30:00', with an offset or in UTC.",
  );
}

export function inferDistinct(typer: Typer, node: IsDistinct): Expr {
  const left = typer.infer(node.left);
  const right = typer.infer(node.right);
  const type = left === null || right === null ? null : comparedType(left.type, right.type);
  if (left !== null && right !== null && type === null) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `cannot compare ${typeText(left.type)} with ${typeText(right.type)}`,
      node.at,
      'CAST one side to the type of the other.',
    );
  }
  const common = type ?? left?.type ?? right?.type ?? BOOLEAN;
  // `IS DISTINCT FROM` is true where it is not negated.
  return {
    expr: 'distinct',
    distinct: !node.negated,
    left: coerced(left, common),
    right: coerced(right, common),
    type: BOOLEAN,
  };
}

/** A run of AND or OR as a balanced tree: its depth stays small however many operands there are. */
export function inferLogical(typer: Typer, node: Logical): Expr {
  const all = node.operands.map((part) =>
    expect(typer.infer(part), BOOLEAN, part.at, `an operand of ${node.operator}`),
  );
  return joined(node.operator, all);
}

function joined(op: 'AND' | 'OR', all: readonly Expr[]): Expr {
  const [first] = all;
  if (all.length === 1 && first !== undefined) return first;
  const middle = all.length >> 1;
  return {
    expr: 'logic',
    op,
    left: joined(op, all.slice(0, middle)),
    right: joined(op, all.slice(middle)),
    type: BOOLEAN,
  };
}

/** Two comparisons over one operand. */
export function inferBetween(typer: Typer, node: Between): Expr {
  const value = typer.infer(node.operand);
  const both = joined('AND', [
    compared('>=', value, pointInTime(typer.infer(node.low), node.low, node.operand), node.at),
    compared('<=', value, pointInTime(typer.infer(node.high), node.high, node.operand), node.at),
  ]);
  return node.negated ? { expr: 'not', argument: both, type: BOOLEAN } : both;
}

export function inferIn(typer: Typer, node: In): Expr {
  const argument = known(typer.infer(node.operand), node.operand.at);
  const options = node.options.map((option) => {
    const { at } = option;
    const value = typer.infer(option);
    return { at, value: value === null ? null : withTextRead(value, argument.type, at) };
  });
  let common = argument.type;
  for (const { at, value } of options) {
    if (value === null) continue;
    const next = comparedType(common, value.type);
    if (next === null) {
      throw new StatementError(
        'TYPE_MISMATCH',
        `${typeText(argument.type)} cannot be IN a list with ${typeText(value.type)}`,
        at,
        'Every item of the list is of the type that is looked for.',
      );
    }
    common = next;
  }
  return {
    expr: 'in',
    negated: node.negated,
    argument: coerced(argument, common),
    list: options.map(({ value }) => coerced(value, common)),
    type: BOOLEAN,
  };
}

export function inferLike(typer: Typer, node: Like): Expr {
  return {
    expr: 'like',
    negated: node.negated,
    argument: expect(typer.infer(node.operand), STRING, node.operand.at, 'what LIKE looks at'),
    pattern: expect(typer.infer(node.pattern), STRING, node.pattern.at, 'the pattern of LIKE'),
    escape: node.escape,
    type: BOOLEAN,
  };
}

export function inferArithmetic(typer: Typer, node: Arithmetic): Expr {
  const left = typer.infer(node.left);
  const right = typer.infer(node.right);
  const { operator } = node;
  if (operator === '+' && (left?.type.kind === 'STRING' || right?.type.kind === 'STRING')) {
    return {
      expr: 'concat',
      left: expect(left, STRING, node.left.at, 'the left side of +'),
      right: expect(right, STRING, node.right.at, 'the right side of +'),
      type: STRING,
    };
  }
  const type =
    left === null || right === null ? null : arithmeticType(operator, left.type, right.type);
  if (type === null || left === null || right === null) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `cannot compute ${shownType(left)} ${operator} ${shownType(right)}`,
      node.at,
      left === null || right === null
        ? 'CAST the NULL to a type, such as CAST(NULL AS INTEGER).'
        : 'Both sides are numbers, or with + both are STRING.',
    );
  }
  const side = (value: Expr): Expr =>
    coerced(value, type.kind === 'DECIMAL' ? asDecimal(value.type) : type);
  return {
    expr: 'arithmetic',
    op: operator,
    left: side(left),
    right: side(right),
    type,
  };
}

export function inferNegate(typer: Typer, node: Negate): Expr {
  const argument = known(typer.infer(node.operand), node.operand.at);
  if (!isNumeric(argument.type)) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `cannot put ${node.operator} before ${typeText(argument.type)}`,
      node.at,
      'Only numbers have a sign.',
    );
  }
  return node.operator === '+' ? argument : { expr: 'negate', argument, type: argument.type };
}

/** The type as messages show it. */
function shownType(of: Expr | null): string {
  return of === null ? 'NULL' : typeText(of.type);
}
