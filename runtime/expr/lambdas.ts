// Calls with lambdas, and the bodies of lambdas, as closures that give one row's value; knows no function.

import { InvariantError, RecordError } from '../base/errors.ts';
import type { Value } from '../data/type.ts';
import type { Expr } from './expr.ts';
import {
  type Body,
  compileRows,
  type LambdaFunction,
  type LambdaScope,
  type RowContext,
  type RowFunction,
  type ScalarFunctions,
} from './rows.ts';
import type { Batch } from '../data/batch.ts';

interface LambdaCall {
  readonly expr: Expr & { readonly expr: 'call' };
  readonly body: Body;
  readonly nullPropagating: boolean;
  readonly functions: ScalarFunctions;
  /** The lambda in whose body the call stands, or null. */
  readonly scope: LambdaScope | null;
}

/** A lambda, for the row that it reads columns and outer parameters of. */
type RowLambda = (batch: Batch, position: number, context: RowContext) => LambdaFunction;

/** A call whose function gets its lambdas as functions. */
export function callWithLambdas(call: LambdaCall): RowFunction {
  const { expr, body, nullPropagating, functions, scope } = call;
  const values: RowFunction[] = [];
  const lambdas: RowLambda[] = [];
  for (const argument of expr.arguments) {
    if (argument.expr === 'lambda') lambdas.push(compileLambda(argument, functions, scope));
    else values.push(compileRows(argument, functions, scope));
  }
  return (batch, position, context) => {
    const given = values.map((value) => value(batch, position, context));
    if (nullPropagating && given.includes(null)) return null;
    const bound = lambdas.map((lambda) => lambda(batch, position, context));
    return body(given, context, bound);
  };
}

/** Where the value of a parameter stands while the body is evaluated: a lambda never calls itself, so one place does. */
interface Place {
  value: Value;
}

function compileLambda(
  expr: Expr & { readonly expr: 'lambda' },
  functions: ScalarFunctions,
  outer: LambdaScope | null,
): RowLambda {
  const places = expr.parameters.map(({ name }) => ({ name, place: { value: null } as Place }));
  const scope: LambdaScope = {
    parameter(name) {
      const own = places.find((candidate) => candidate.name === name)?.place;
      if (own !== undefined) return () => own.value;
      if (outer !== null) return outer.parameter(name);
      throw new InvariantError(`no lambda around it has the parameter ${name}`);
    },
    defined,
  };
  const body = compileRows(expr.body, functions, scope);
  return (batch, position, context) =>
    (...values) => {
      for (const [index, { place }] of places.entries()) place.value = values[index] ?? null;
      return body(batch, position, context);
    };
}

function defined(value: RowFunction): RowFunction {
  return (batch, position, context) => {
    const found = value(batch, position, context);
    if (found !== null) return found;
    throw new RecordError('EXPRESSION', 'a lambda computes with a null');
  };
}
