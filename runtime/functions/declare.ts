// Short ways to declare functions, for the files of themes; knows no function.

import {
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  type Value,
} from '../data/type.ts';
import type {
  AggregateBody,
  AggregateGiven,
  AggregateOverload,
  CallContext,
  LambdaFunction,
  Parameter,
  Pattern,
  ScalarBody,
  ScalarOverload,
} from './registry.ts';

export const of = (type: Type): Pattern => ({ pattern: 'type', type });
export const ANY: Pattern = { pattern: 'any', variable: 'T' };
export const DECIMALS: Pattern = { pattern: 'decimal' };
/** The body gets the unit's name in the plural, `DAYS`. */
export const UNIT: Pattern = { pattern: 'unit' };
export const NUMBERS = [of(INTEGER), of(BIGINT), of(DOUBLE)];
/** What has a least and a greatest value. */
export const ORDERED = [...NUMBERS, DECIMALS, ...[DATE, TIME, TIMESTAMP, STRING, BYTES].map(of)];

export function parameter(name: string, pattern: Pattern): Parameter {
  return { name, pattern, variadic: false };
}

export function variadic(name: string, pattern: Pattern): Parameter {
  return { name, pattern, variadic: true };
}

/** Parameters of the types that most functions of text take. */
export const text = (name: string): Parameter => parameter(name, of(STRING));
export const bytes = (name: string): Parameter => parameter(name, of(BYTES));
export const whole = (name: string): Parameter => parameter(name, of(INTEGER));

type Returns = Type | ((argumentTypes: readonly Type[]) => Type);

function returning(returns: Returns): (argumentTypes: readonly Type[]) => Type {
  return typeof returns === 'function' ? returns : () => returns;
}

/** The type of the first argument. */
export const first = (types: readonly Type[]): Type => types[0] ?? STRING;

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

export interface AggregateDeclaration {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly returns: Returns;
  readonly body: (columnTypes: readonly Type[], given: AggregateGiven) => AggregateBody;
  readonly settings?: readonly string[] | undefined;
  readonly refuses?: ((given: AggregateGiven) => string | null) | undefined;
}

export function aggregate(declaration: AggregateDeclaration): AggregateOverload {
  return {
    ...declaration,
    kind: 'aggregate',
    category: 'AGGREGATE',
    returns: returning(declaration.returns),
  };
}
