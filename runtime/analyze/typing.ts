// Turns an expression as written into a typed one: names, functions and coercions resolved; knows no clauses' rules.

import { assert, exhaustive } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import { didYouMean } from '../catalog/nearest.ts';
import { BOOLEAN, isNumeric, STRING, type Type, typeText } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { FunctionRegistry, Resolved } from '../functions/registry.ts';
import type { Call, Column, Expression } from '../sql/ast.ts';
import { coerced, nullOf } from './coerced.ts';
import { isTemporal, literalText } from './coercion.ts';
import { TYPING_OPERATORS, TYPING_VALUES } from './parts.ts';
import { columnAt } from './scope.ts';
import { expect, known, type Typer, type TypingContext } from './typer.ts';

export type { TypingContext } from './typer.ts';

/**
 * The typed expression; its column positions are those of `context.scope.row`.
 * @throws {StatementError} UNKNOWN_COLUMN, UNKNOWN_FUNCTION, TYPE_MISMATCH, INVALID, UNSUPPORTED
 */
export function typed(node: Expression, context: TypingContext): Expr {
  const result = known(inferred(node, context), node.at);
  refuseType(result.type, node.at);
  return result;
}

/** What no column can be: decimals grow with each operator, and STRUCT() has no fields until a column gives it some. */
function refuseType(type: Type, at: Position): void {
  switch (type.kind) {
    case 'DECIMAL':
      if (type.precision <= DECIMAL_DIGITS_MAX) return;
      throw new StatementError(
        'INVALID',
        `${typeText(type)} has more than ${DECIMAL_DIGITS_MAX} digits`,
        at,
        'CAST what it is made of to fewer digits.',
      );
    case 'ARRAY':
      return refuseType(type.item, at);
    case 'MAP':
      refuseType(type.key, at);
      return refuseType(type.value, at);
    case 'STRUCT':
      if (type.fields.length === 0)
        throw new StatementError('INVALID', 'a STRUCT without fields', at, 'Name its fields.');
      for (const field of type.fields) refuseType(field.type, at);
      return;
    default:
      return;
  }
}

/** As `typed`, where a NULL without a type is null. */
export function inferred(node: Expression, context: TypingContext): Expr | null {
  const typer: Typer = {
    context,
    infer: (part) => context.meaning?.(part) ?? infer(typer, part),
  };
  return typer.infer(node);
}

/** A condition. @throws {StatementError} TYPE_MISMATCH when it is not BOOLEAN */
export function condition(node: Expression, context: TypingContext): Expr {
  return expect(inferred(node, context), BOOLEAN, node.at, `the condition of ${context.clause}`);
}

function infer(typer: Typer, node: Expression): Expr | null {
  switch (node.kind) {
    case 'Null':
    case 'Boolean':
    case 'Integer':
    case 'Long':
    case 'Decimal':
    case 'Double':
    case 'String':
      return TYPING_VALUES.code.inferLiteral(node);
    case 'TypedLiteral':
      return TYPING_VALUES.code.inferTypedLiteral(typer, node);
    case 'IntervalUnit':
      // A unit is the text of its name to the function that takes it.
      return { expr: 'literal', value: node.unit, type: STRING };
    case 'Column':
      return column(typer, node);
    case 'Field':
      return TYPING_VALUES.code.inferField(typer, node);
    case 'Subscript':
      return TYPING_VALUES.code.inferSubscript(typer, node);
    case 'Call':
      return call(typer, node);
    case 'Lambda':
      throw unsupported('a lambda', node.at);
    case 'Arithmetic':
      return TYPING_OPERATORS.code.inferArithmetic(typer, node);
    case 'Negate':
      return TYPING_OPERATORS.code.inferNegate(typer, node);
    case 'Comparison':
      return TYPING_OPERATORS.code.inferComparison(typer, node);
    case 'Logical':
      return TYPING_OPERATORS.code.inferLogical(typer, node);
    case 'Not':
      return {
        expr: 'not',
        argument: expect(typer.infer(node.operand), BOOLEAN, node.operand.at, 'the operand of NOT'),
        type: BOOLEAN,
      };
    case 'Between':
      return TYPING_OPERATORS.code.inferBetween(typer, node);
    case 'In':
      return TYPING_OPERATORS.code.inferIn(typer, node);
    case 'Like':
      return TYPING_OPERATORS.code.inferLike(typer, node);
    case 'IsNull': {
      const argument = typer.infer(node.operand);
      return {
        expr: 'isNull',
        negated: node.negated,
        argument: argument ?? nullOf(BOOLEAN),
        type: BOOLEAN,
      };
    }
    case 'IsDistinct':
      return TYPING_OPERATORS.code.inferDistinct(typer, node);
    case 'SimpleCase':
    case 'SearchedCase':
      return TYPING_VALUES.code.inferCase(typer, node);
    case 'Cast':
      return TYPING_VALUES.code.inferCast(typer, node);
    case 'Array':
      return TYPING_VALUES.code.inferArray(typer, node);
    case 'Map':
      return TYPING_VALUES.code.inferMap(typer, node);
    case 'Struct':
      return TYPING_VALUES.code.inferStruct(typer, node);
    case 'AtTimeZone':
      throw unsupported('AT TIME ZONE', node.at);
    default:
      return exhaustive(node);
  }
}

function unsupported(what: string, at: Position): StatementError {
  return new StatementError('UNSUPPORTED', `${what} is not supported yet`, at);
}

function column(typer: Typer, node: Column): Expr {
  const { scope } = typer.context;
  const index = columnAt(scope, node);
  const found = scope.row.columns[index];
  assert(found !== undefined, 'a resolved column is one of the row');
  return { expr: 'column', index, type: found.type };
}

/** A call of a scalar function; aggregates have their meaning where they may stand, and are refused here. */
function call(typer: Typer, node: Call): Expr | null {
  const { registry, clause } = typer.context;
  const name = node.name.text.toUpperCase();
  // Marks a key column as meant for the value: it is its argument.
  if (name === 'AS_VALUE' && node.arguments.length === 1 && node.arguments[0] !== undefined) {
    return typer.infer(node.arguments[0]);
  }
  checkFunction(registry, node);
  const written = node.arguments.map((argument) => typer.infer(argument));
  const resolved = resolveCall(typer.context, node, written);
  if (resolved.overload.kind === 'aggregate') {
    throw new StatementError(
      'INVALID',
      `the aggregate ${name} cannot stand in ${clause}`,
      node.at,
      'Aggregates stand in SELECT and HAVING of a query with GROUP BY.',
    );
  }
  if (resolved.overload.kind === 'table') throw unsupported(`the table function ${name}`, node.at);
  return {
    expr: 'call',
    function: name,
    signature: resolved.signature,
    arguments: written.map((argument, index) => {
      const cast = resolved.casts[index];
      return cast === undefined ? known(argument, node.at) : coerced(argument, cast);
    }),
    type: resolved.type,
  };
}

/** The name of the function that is called. @throws {StatementError} UNKNOWN_FUNCTION, with the nearest name */
function checkFunction(registry: FunctionRegistry, node: Call): string {
  const name = node.name.text.toUpperCase();
  if (registry.has(name)) return name;
  throw new StatementError(
    'UNKNOWN_FUNCTION',
    `there is no function ${name}`,
    node.at,
    didYouMean(name, registry.names, 'SHOW FUNCTIONS lists what there is.'),
  );
}

/** @throws {StatementError} UNKNOWN_FUNCTION, with the nearest name or what the function takes */
export function resolveCall(
  context: TypingContext,
  node: Call,
  written: readonly (Expr | null)[],
): Resolved {
  const { registry } = context;
  const name = checkFunction(registry, node);
  const types = written.map((argument) => argument?.type ?? null);
  const resolved = registry.resolve(name, types) ?? resolveTimes(registry, name, written);
  if (resolved !== null) return resolved;
  const given = types.map((type) => (type === null ? 'NULL' : typeText(type))).join(', ');
  const takes = registry
    .overloads(name)
    .map(
      (overload) => `${name}(${overload.parameters.map((parameter) => parameter.name).join(', ')})`,
    );
  throw new StatementError(
    'UNKNOWN_FUNCTION',
    `${name} does not take (${given})`,
    node.at,
    `It is ${[...new Set(takes)].join(' or ')}${isMixed(types) ? '; CAST the numbers to one type' : ''}.`,
  );
}

/** The overload in which text literals among the arguments stand for points in time, as they do in comparisons; or null. */
function resolveTimes(
  registry: FunctionRegistry,
  name: string,
  written: readonly (Expr | null)[],
): Resolved | null {
  const isText = written.map((argument) => literalText(argument) !== null);
  const types = written.map((argument, index) => (isText[index] ? null : (argument?.type ?? null)));
  const resolved = registry.resolve(name, types);
  const fits = resolved?.casts.every((cast, index) => !isText[index] || isTemporal(cast)) ?? false;
  return fits ? resolved : null;
}

/** True for numbers of several types, which may fit several overloads alike. */
function isMixed(types: readonly (Type | null)[]): boolean {
  const kinds = types.flatMap((type) => (type !== null && isNumeric(type) ? [type.kind] : []));
  return new Set(kinds).size > 1;
}
