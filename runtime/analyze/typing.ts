// Turns an expression as written into a typed one: columns here, all else in typing-nodes.ts, which is fetched on first use. Knows no clauses' rules.

import { existing } from '../base/assert.ts';
import { BOOLEAN, type Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { Resolved } from '../functions/registry.ts';
import type { Call, Column, Expression } from '../sql/ast.ts';
import { TYPING } from './parts.ts';
import { columnAt } from './scope.ts';
import { expect, known, type Typer, type TypingContext } from './typer.ts';

export type { TypingContext } from './typer.ts';

/**
 * The typed expression; its column positions are those of `context.scope.row`.
 * @throws {StatementError} UNKNOWN_COLUMN, UNKNOWN_FUNCTION, TYPE_MISMATCH, INVALID, UNSUPPORTED
 */
export function typed(node: Expression, context: TypingContext): Expr {
  const result = known(inferred(node, context), node.at);
  if (isNested(result.type)) TYPING.code.refuseType(result.type, node.at);
  return result;
}

/** As `typed`, where a NULL without a type is null. */
export function inferred(node: Expression, context: TypingContext): Expr | null {
  const typer: Typer = {
    context,
    infer: (part) =>
      context.meaning?.(part) ??
      (part.kind === 'Column' ? column(typer, part) : TYPING.code.inferNode(typer, part)),
  };
  return typer.infer(node);
}

/** A condition. @throws {StatementError} TYPE_MISMATCH when it is not BOOLEAN, as a NULL without a type */
export function condition(node: Expression, context: TypingContext): Expr {
  return expect(typed(node, context), BOOLEAN, node.at, `the condition of ${context.clause}`);
}

function column(typer: Typer, node: Column): Expr {
  const { scope } = typer.context;
  const index = columnAt(scope, node);
  return { expr: 'column', index, type: existing(scope.row.columns[index], 'column').type };
}

function isNested({ kind }: Type): boolean {
  return kind === 'DECIMAL' || kind === 'ARRAY' || kind === 'MAP' || kind === 'STRUCT';
}

/** @throws {StatementError} UNKNOWN_FUNCTION, with the nearest name or what the function takes */
export function resolveCall(
  context: TypingContext,
  node: Call,
  written: readonly (Expr | null)[],
): Resolved {
  const { registry } = context;
  const types = written.map((argument) => argument?.type ?? null);
  const found = registry.resolve(node.name.text.toUpperCase(), types);
  return found ?? TYPING.code.resolveOtherwise(context, node, written);
}
