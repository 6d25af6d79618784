// Gives types to every kind of node but columns: literals, operators, calls; knows no clauses' rules.

import { exhaustive } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import { didYouMean } from '../catalog/words.ts';
import { BOOLEAN, isNumeric, STRING, type Type, typeText } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import type { FunctionRegistry, Resolved } from '../functions/registry.ts';
import type { Call, Column, Expression } from '../sql/ast.ts';
import { coerced, nullOf } from './coerced.ts';
import { isTemporal, literalText } from './coercion.ts';
import { LAMBDA_CALLS } from './parts.ts';
import { inferTableCall, isTableFunction } from './table-functions.ts';
import { expect, known, type Typer, type TypingContext } from './typer.ts';
import { resolveCall } from './typing.ts';
import * as operators from './typing-operators.ts';
import { withUnits } from './typing-units.ts';
import * as values from './typing-values.ts';

/** What no column can be: decimals grow with each operator, and STRUCT() has no fields until a column gives it some. */
export function refuseType(type: Type, at: Position): void {
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
      for (const field of type.fields) refuseType(field.type, at);
      return;
    default:
      return;
  }
}

/** The typed expression of any node but a column. */
export function inferNode(typer: Typer, node: Exclude<Expression, Column>): Expr | null {
  switch (node.kind) {
    case 'Null':
    case 'Boolean':
    case 'Integer':
    case 'Long':
    case 'Decimal':
    case 'Double':
    case 'String':
      return values.inferLiteral(node);
    case 'TypedLiteral':
      return values.inferTypedLiteral(typer, node);
    case 'IntervalUnit':
      // A unit is the text of its name to the function that takes it.
      return { expr: 'literal', value: node.unit, type: STRING };
    case 'Field':
      return values.inferField(typer, node);
    case 'Subscript':
      return values.inferSubscript(typer, node);
    case 'Call':
      return call(typer, node);
    case 'Lambda':
      throw new StatementError('INVALID', 'a lambda stands outside of a call', node.at);
    case 'Arithmetic':
      return operators.inferArithmetic(typer, node);
    case 'Negate':
      return operators.inferNegate(typer, node);
    case 'Comparison':
      return operators.inferComparison(typer, node);
    case 'Logical':
      return operators.inferLogical(typer, node);
    case 'Not':
      return {
        expr: 'not',
        argument: expect(typer.infer(node.operand), BOOLEAN, node.operand.at, 'the operand of NOT'),
        type: BOOLEAN,
      };
    case 'Between':
      return operators.inferBetween(typer, node);
    case 'In':
      return operators.inferIn(typer, node);
    case 'Like':
      return operators.inferLike(typer, node);
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
      return operators.inferDistinct(typer, node);
    case 'SimpleCase':
    case 'SearchedCase':
      return values.inferCase(typer, node);
    case 'Cast':
      return values.inferCast(typer, node);
    case 'Array':
      return values.inferArray(typer, node);
    case 'Map':
      return values.inferMap(typer, node);
    case 'Struct':
      return values.inferStruct(typer, node);
    case 'AtTimeZone':
      throw new StatementError(
        'UNSUPPORTED',
        'a TIMESTAMP is an instant and is in no time zone',
        node.at,
        'CONVERT_TZ moves it by the offset of a zone, FORMAT_TIMESTAMP prints it in one.',
      );
    default:
      return exhaustive(node);
  }
}

/** A call of a scalar function; aggregates have their meaning where they may stand, and are refused here. */
function call(typer: Typer, node: Call): Expr | null {
  const { registry, clause } = typer.context;
  const name = node.name.text.toUpperCase();
  // Marks a key column as meant for the value: it is its argument.
  if (name === 'AS_VALUE' && node.arguments.length === 1 && node.arguments[0] !== undefined) {
    return typer.infer(node.arguments[0]);
  }
  if (node.arguments.some(({ kind }) => kind === 'Lambda'))
    return LAMBDA_CALLS.code.inferLambdaCall(typer, node);
  checkFunction(registry, node);
  if (isTableFunction(node, registry)) return inferTableCall(typer.context, node);
  const written = withUnits(registry, name, node).map((argument) => typer.infer(argument));
  const resolved = resolveCall(typer.context, node, written);
  if (resolved.overload.kind === 'aggregate') {
    throw new StatementError(
      'INVALID',
      `the aggregate ${name} cannot stand in ${clause}`,
      node.at,
      'Aggregates stand in SELECT and HAVING of a query with GROUP BY.',
    );
  }
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
export function checkFunction(registry: FunctionRegistry, node: Call): string {
  const name = node.name.text.toUpperCase();
  if (registry.has(name)) return name;
  throw new StatementError(
    'UNKNOWN_FUNCTION',
    `there is no function ${name}`,
    node.at,
    didYouMean(name, registry.names, 'SHOW FUNCTIONS lists what there is.'),
  );
}

/** What a call means that no overload fits as it stands. @throws {StatementError} UNKNOWN_FUNCTION, with the nearest name or what the function takes */
export function resolveOtherwise(
  context: TypingContext,
  node: Call,
  written: readonly (Expr | null)[],
): Resolved {
  const { registry } = context;
  const name = checkFunction(registry, node);
  const types = written.map((argument) => argument?.type ?? null);
  const resolved = resolveTimes(registry, name, written);
  if (resolved !== null) return resolved;
  const given = types.map((type) => (type === null ? 'NULL' : typeText(type)));
  throw notTaken(registry, node, given, isMixed(types) ? '; CAST the numbers to one type' : '');
}

/** The error of a call that no overload fits. @param given the types of its arguments, as messages show them */
export function notTaken(
  registry: FunctionRegistry,
  node: Call,
  given: readonly string[],
  advice: string,
): StatementError {
  const name = node.name.text.toUpperCase();
  const takes = registry
    .overloads(name)
    .map(
      (overload) => `${name}(${overload.parameters.map((parameter) => parameter.name).join(', ')})`,
    );
  return new StatementError(
    'UNKNOWN_FUNCTION',
    `${name} does not take (${given.join(', ')})`,
    node.at,
    `It is ${[...new Set(takes)].join(' or ')}${advice}.`,
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
  const fits = resolved?.casts.every(
    (cast, index) => !isText[index] || isTemporal(cast) || cast.kind === 'STRING',
  );
  return fits === true ? resolved : null;
}

/** True for numbers of several types, which may fit several overloads alike. */
function isMixed(types: readonly (Type | null)[]): boolean {
  const kinds = types.flatMap((type) => (type !== null && isNumeric(type) ? [type.kind] : []));
  return new Set(kinds).size > 1;
}
