// Matches argument types with declared parameters: patterns, widening and type variables; knows no function.

import { asDecimal, NUMBER_WIDTH } from '../data/number-types.ts';
import { type Type, typeEquals, typeText } from '../data/type.ts';
import { RARER_PATTERNS } from './parts.ts';
import type { Overload, Parameter, Pattern } from './registry.ts';

/** How an overload fits a call. */
export interface Match {
  readonly casts: readonly Type[];
  /** How many of its parameters are variables, and whether one is variadic: the less general overload is the better one. */
  readonly generality: number;
  /** An argument has to be widened. */
  readonly widens: boolean;
}

/** What counts for an overload's generality. */
const VARIADIC = 1;

/** The DECIMAL that holds every value of a numeric type; null for DOUBLE and what is no number. */
function decimalOf(type: Type): Type | null {
  return NUMBER_WIDTH.has(type.kind) && type.kind !== 'DOUBLE' ? asDecimal(type) : null;
}

/** How one argument fits one parameter. */
export interface Fit {
  readonly generality: number;
  readonly widens: boolean;
}

const EXACT: Fit = { generality: 0, widens: false };
const WIDENED: Fit = { generality: 0, widens: true };

/** One argument against one concrete type; null when it does not fit. */
export function concrete(argument: Type, wanted: Type): Fit | null {
  if (typeEquals(argument, wanted)) return EXACT;
  const from = NUMBER_WIDTH.get(argument.kind);
  const to = NUMBER_WIDTH.get(wanted.kind);
  if (from === undefined || to === undefined || from >= to || wanted.kind === 'DECIMAL')
    return null;
  return WIDENED;
}

/** Type variables bound so far: what they stand for. */
export type Bindings = Map<string, Type>;

/** Fits an argument into a pattern; binds variables, to the wider type where a variable comes again. */
export function fit(argument: Type, pattern: Pattern, bindings: Bindings): Fit | null {
  switch (pattern.pattern) {
    case 'type':
      return concrete(argument, pattern.type);
    case 'decimal':
      if (argument.kind === 'DECIMAL') return EXACT;
      return decimalOf(argument) === null ? null : WIDENED;
    default:
      return RARER_PATTERNS.code.fitRarer(argument, pattern, bindings);
  }
}

/**
 * The type of a pattern once its variables are bound; null while a variable is not. A NULL without a type is a DECIMAL of
 * one digit, so that it widens no other.
 */
export function substituted(
  pattern: Pattern,
  argument: Type | null,
  bindings: Bindings,
): Type | null {
  switch (pattern.pattern) {
    case 'type':
      return pattern.type;
    case 'decimal':
      return argument === null ? { kind: 'DECIMAL', precision: 1, scale: 0 } : decimalOf(argument);
    default:
      return RARER_PATTERNS.code.substitutedRarer(pattern, argument, bindings);
  }
}

/** The parameter of each argument; null when their numbers do not agree. */
export function parametersFor(
  parameters: readonly Parameter[],
  count: number,
): readonly Parameter[] | null {
  const variadic = parameters.findIndex((parameter) => parameter.variadic);
  if (variadic < 0) return parameters.length === count ? parameters : null;
  return RARER_PATTERNS.code.repeatedParameter(parameters, variadic, count);
}

/** How the arguments fit an overload; null when they do not. A null type is an untyped NULL: it fits everything. */
export function match(overload: Overload, argumentTypes: readonly (Type | null)[]): Match | null {
  const parameters = parametersFor(overload.parameters, argumentTypes.length);
  if (parameters === null) return null;
  const bindings: Bindings = new Map();
  let generality = overload.parameters.some((parameter) => parameter.variadic) ? VARIADIC : 0;
  let widens = false;
  for (const [index, parameter] of parameters.entries()) {
    const argument = argumentTypes[index] ?? null;
    if (argument === null) continue;
    const found = fit(argument, parameter.pattern, bindings);
    if (found === null) return null;
    generality += found.generality;
    widens ||= found.widens;
  }
  const casts: Type[] = [];
  for (const [index, parameter] of parameters.entries()) {
    // A NULL for a variable that nothing else binds is text, as ksqlDB takes it.
    const type = substituted(parameter.pattern, argumentTypes[index] ?? null, bindings);
    casts.push(type ?? { kind: 'STRING' });
  }
  return { casts, generality, widens };
}

/** A parameter's pattern as users read it: `DOUBLE`, `DECIMAL`, `ARRAY<T>`. */
export function patternText(pattern: Pattern): string {
  switch (pattern.pattern) {
    case 'type':
      return typeText(pattern.type);
    case 'decimal':
      return 'DECIMAL';
    case 'any':
      return pattern.variable;
    default:
      return RARER_PATTERNS.code.rarerPatternText(pattern);
  }
}

/** An overload's name in plans: `ABS(DOUBLE)`, `CONCAT(STRING...)`. */
export function signatureOf(overload: Overload): string {
  const parameters = overload.parameters.map(
    (parameter) => `${patternText(parameter.pattern)}${parameter.variadic ? '...' : ''}`,
  );
  return `${overload.name}(${parameters.join(', ')})`;
}
