// Table functions in a SELECT: where one may stand, and the column that it becomes; knows no plan.

import { StatementError } from '../base/errors.ts';
import type { Expr } from '../expr/expr.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Call, Expression, Query } from '../sql/ast.ts';
import { coerced } from './coerced.ts';
import type { TypingContext } from './typer.ts';
import { inferred, resolveCall } from './typing.ts';
import { findNode, shortText } from './walk.ts';

/** True for a call of a table function. */
export function isTableFunction(node: Expression, registry: FunctionRegistry): boolean {
  if (node.kind !== 'Call') return false;
  const overloads = registry.overloads(node.name.text.toUpperCase());
  return overloads.some((overload) => overload.kind === 'table');
}

function misplaced(node: Expression, where: string): StatementError {
  return new StatementError(
    'INVALID',
    `the table function ${shortText(node)} cannot stand in ${where}`,
    node.at,
    'They stand in the SELECT of a query over a stream without GROUP BY: make a stream of their rows first.',
  );
}

/**
 * The column of a table function's rows.
 * @throws {StatementError} INVALID where none may stand, within another one too; UNKNOWN_FUNCTION
 */
export function inferTableCall(context: TypingContext, node: Call): Expr {
  const { tables, clause } = context;
  if (tables === undefined) throw misplaced(node, clause);
  if (tables.source.kind === 'table') throw misplaced(node, 'a query over a table');
  if (tables.calls.length === 0) refuseConditionalTables(tables.query, context.registry);
  const name = node.name.text.toUpperCase();
  const inner = { ...context, tables: undefined, clause: `the arguments of ${name}` };
  const written = node.arguments.map((argument) => inferred(argument, inner));
  const { signature, casts, type } = resolveCall(context, node, written);
  const given = casts.map((cast, index) => coerced(written[index] ?? null, cast));
  const calls = tables.calls.push({ function: name, signature, arguments: given, type });
  return { expr: 'column', index: tables.first + calls - 1, type };
}

const CONDITIONAL: readonly (readonly [where: string, kinds: readonly Expression['kind'][]])[] = [
  ['CASE', ['SearchedCase', 'SimpleCase']],
  ['a lambda', ['Lambda']],
];

/**
 * Table functions make rows whatever is chosen.
 * @throws {StatementError} INVALID for one within a CASE or a lambda
 */
function refuseConditionalTables({ items }: Query, registry: FunctionRegistry): void {
  const found = (node: Expression) =>
    findNode(node, (candidate) => isTableFunction(candidate, registry));
  for (const item of items) {
    if (item.kind !== 'Item') continue;
    for (const [where, kinds] of CONDITIONAL) {
      const outer = findNode(
        item.expression,
        (node) => kinds.includes(node.kind) && found(node) !== null,
      );
      const inner = outer === null ? null : found(outer);
      if (inner !== null) throw misplaced(inner, where);
    }
  }
}
