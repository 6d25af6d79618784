// Short ways to declare the common aggregates, and what all functions are declared with; knows no function.

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
} from '../data/type.ts';
import { AGGREGATE_BODIES } from './parts.ts';
import type {
  AggregateBody,
  AggregateGiven,
  AggregateOverload,
  Parameter,
  Pattern,
} from './registry.ts';

export const of = (type: Type): Pattern => ({ pattern: 'type', type });

export const ANY: Pattern = { pattern: 'any', variable: 'T' };

export const DECIMALS: Pattern = { pattern: 'decimal' };

export const NUMBERS = [of(INTEGER), of(BIGINT), of(DOUBLE)];

/** What has a least and a greatest value. */
export const ORDERED = [...NUMBERS, DECIMALS, ...[DATE, TIME, TIMESTAMP, STRING, BYTES].map(of)];

export function parameter(name: string, pattern: Pattern): Parameter {
  return { name, pattern, variadic: false };
}

export type Returns = Type | ((argumentTypes: readonly Type[]) => Type);

export function returning(returns: Returns): (argumentTypes: readonly Type[]) => Type {
  return typeof returns === 'function' ? returns : () => returns;
}

/** The type of the first argument. */
export const first = (types: readonly Type[]): Type => types[0] ?? STRING;

interface AggregateDeclaration {
  readonly name: string;
  /** Absent: a common one, described where its body is. */
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly returns: Returns;
  readonly body: (columnTypes: readonly Type[], given: AggregateGiven) => AggregateBody;
  readonly settings?: readonly string[] | undefined;
  readonly refuses?: ((given: AggregateGiven) => string | null) | undefined;
}

export function aggregate(declaration: AggregateDeclaration): AggregateOverload {
  return {
    get description() {
      return AGGREGATE_BODIES.code.COMMON_DESCRIPTIONS[declaration.name] ?? '';
    },
    ...declaration,
    kind: 'aggregate',
    category: 'AGGREGATE',
    returns: returning(declaration.returns),
  };
}
