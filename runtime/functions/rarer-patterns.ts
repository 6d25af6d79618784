// The rarer ways in which argument types fit declared parameters: collections, type variables, parameters that repeat. Knows no function.

import { commonType } from '../data/common-type.ts';
import { STRING, type Type, typeEquals } from '../data/type.ts';
import { ANY_TYPE } from './declare-rare.ts';
import type { Parameter, Pattern } from './registry.ts';
import { type Bindings, concrete, type Fit, fit, patternText, substituted } from './resolve.ts';

/** What a variable counts for an overload's generality. */
const VARIABLE = 2;

/** As `fit`, for patterns that are no plain type. */
export function fitRarer(argument: Type, pattern: Pattern, bindings: Bindings): Fit | null {
  switch (pattern.pattern) {
    case 'unit':
      return concrete(argument, STRING);
    case 'any':
      return bind(pattern.variable, argument, bindings);
    case 'anyStruct':
      return argument.kind === 'STRUCT' ? bind(pattern.variable, argument, bindings) : null;
    case 'array': {
      if (argument.kind !== 'ARRAY') return null;
      return fit(argument.item, pattern.item, bindings);
    }
    case 'map': {
      if (argument.kind !== 'MAP') return null;
      const key = fit(argument.key, pattern.key, bindings);
      const value = fit(argument.value, pattern.value, bindings);
      if (key === null || value === null) return null;
      return {
        generality: key.generality + value.generality,
        widens: key.widens || value.widens,
      };
    }
    default:
      return null;
  }
}

/** As `substituted`, for patterns that are no plain type: collections of a variable that nothing binds are of text. */
export function substitutedRarer(
  pattern: Pattern,
  argument: Type | null,
  bindings: Bindings,
): Type | null {
  switch (pattern.pattern) {
    case 'unit':
      return STRING;
    case 'any':
    case 'anyStruct':
      return pattern.variable === ANY_TYPE ? argument : (bindings.get(pattern.variable) ?? null);
    case 'array': {
      const item = substituted(
        pattern.item,
        argument?.kind === 'ARRAY' ? argument.item : null,
        bindings,
      );
      return { kind: 'ARRAY', item: item ?? STRING };
    }
    case 'map': {
      const own = argument?.kind === 'MAP' ? argument : null;
      const key = substituted(pattern.key, own?.key ?? null, bindings);
      const value = substituted(pattern.value, own?.value ?? null, bindings);
      return { kind: 'MAP', key: key ?? STRING, value: value ?? STRING };
    }
    default:
      return null;
  }
}

/** As `patternText`, for patterns that are no plain type. */
export function rarerPatternText(pattern: Pattern): string {
  switch (pattern.pattern) {
    case 'anyStruct':
      return 'STRUCT';
    case 'array':
      return `ARRAY<${patternText(pattern.item)}>`;
    case 'map':
      return `MAP<${patternText(pattern.key)}, ${patternText(pattern.value)}>`;
    case 'lambda':
      return `LAMBDA (${pattern.parameters.map(patternText).join(', ')}) => ${patternText(pattern.result)}`;
    default:
      return 'INTERVALUNIT';
  }
}

function bind(variable: string, argument: Type, bindings: Bindings): Fit | null {
  const bound = variable === ANY_TYPE ? undefined : bindings.get(variable);
  const common =
    bound === undefined || typeEquals(bound, argument) ? argument : commonType(bound, argument);
  if (common === null) return null;
  bindings.set(variable, common);
  return { generality: VARIABLE, widens: bound !== undefined && !typeEquals(bound, common) };
}

/** The parameters with the variadic one as often as so many arguments want it; null when they are too few. */
export function repeatedParameter(
  parameters: readonly Parameter[],
  variadic: number,
  count: number,
): readonly Parameter[] | null {
  const repeated = count - (parameters.length - 1);
  const parameter = parameters[variadic];
  if (repeated < 0 || parameter === undefined) return null;
  return [
    ...parameters.slice(0, variadic),
    ...Array.from({ length: repeated }, () => parameter),
    ...parameters.slice(variadic + 1),
  ];
}
