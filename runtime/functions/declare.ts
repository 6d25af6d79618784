// Short ways to declare functions, for the files of themes; knows no function.

import { BYTES, INTEGER, STRING, type Type, type Value } from '../data/type.ts';
import { of, parameter, type Returns, returning } from './declare-common.ts';
import type {
  CallContext,
  LambdaFunction,
  Parameter,
  Pattern,
  ScalarBody,
  ScalarOverload,
} from './registry.ts';

export { aggregate, ANY, DECIMALS, first, of, ORDERED, parameter } from './declare-common.ts';

/** The body gets the unit's name in the plural, `DAYS`. */
export const UNIT: Pattern = { pattern: 'unit' };
export function variadic(name: string, pattern: Pattern): Parameter {
  return { name, pattern, variadic: true };
}

/** Parameters of the types that most functions of text take. */
export const text = (name: string): Parameter => parameter(name, of(STRING));
export const bytes = (name: string): Parameter => parameter(name, of(BYTES));
export const whole = (name: string): Parameter => parameter(name, of(INTEGER));

export interface ScalarDeclaration {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly returns: Returns;
  /** false: the body sees nulls. */
  readonly nullPropagating?: boolean | undefined;
  readonly body: (
    values: readonly Value[],
    context: CallContext,
    types: readonly Type[],
    lambdas: readonly LambdaFunction[],
  ) => Value;
}

export function scalar(declaration: ScalarDeclaration): ScalarOverload {
  const { name, category, description, parameters, body } = declaration;
  return {
    kind: 'scalar',
    name,
    category,
    description,
    parameters,
    returns: returning(declaration.returns),
    nullPropagating: declaration.nullPropagating ?? true,
    body:
      (types): ScalarBody =>
      (values, context, lambdas) =>
        body(values, context, types, lambdas),
  };
}
