// Finds the overload of a call with lambdas: the other arguments bind what each lambda is given, its result binds the rest. Knows no function.

import { type Type, typeEquals } from '../data/type.ts';
import type { Overload, Pattern } from './registry.ts';
import { type Bindings, fit, substituted } from './resolve.ts';

/** An argument of a call as far as it is known before lambdas have types: null is an untyped NULL. */
export type Given = Type | null | { readonly parameters: number };

function isLambda(given: Given | undefined): given is { readonly parameters: number } {
  return given !== undefined && given !== null && 'parameters' in given;
}

type LambdaPattern = Pattern & { readonly pattern: 'lambda' };

/**
 * How a call with lambdas fits an overload. Lambdas are taken in the order of the arguments, each with `parametersOf` and then
 * `result`; after the last, `casts` are the types of all arguments.
 */
export class LambdaMatch {
  readonly overload: Overload;
  readonly #given: readonly Given[];
  readonly #bindings: Bindings;
  readonly #results = new Map<number, Type>();

  constructor(overload: Overload, given: readonly Given[], bindings: Bindings) {
    this.overload = overload;
    this.#given = given;
    this.#bindings = bindings;
  }

  #pattern(argument: number): LambdaPattern | null {
    const pattern = this.overload.parameters[argument]?.pattern;
    return pattern?.pattern === 'lambda' ? pattern : null;
  }

  /** The types of what the lambda at that argument is given; null where nothing says one. */
  parametersOf(argument: number): readonly Type[] | null {
    const types: Type[] = [];
    for (const pattern of this.#pattern(argument)?.parameters ?? []) {
      const type = substituted(pattern, null, this.#bindings);
      if (type === null) return null;
      types.push(type);
    }
    return types;
  }

  /** The type that the result of that lambda must be of; null where any will do. */
  wanted(argument: number): Type | null {
    const pattern = this.#pattern(argument);
    return pattern === null ? null : substituted(pattern.result, null, this.#bindings);
  }

  /** Takes the type of a lambda's result; gives what it is to be cast to, or null when it does not fit. */
  result(argument: number, type: Type): Type | null {
    const pattern = this.#pattern(argument);
    if (pattern === null) return null;
    // What is bound already was given to lambdas: a result that would widen it does not fit.
    const bound = new Map(this.#bindings);
    if (fit(type, pattern.result, bound) === null) return null;
    for (const [name, before] of this.#bindings) {
      const after = bound.get(name);
      if (after !== undefined && !typeEquals(before, after)) return null;
    }
    for (const [name, after] of bound) this.#bindings.set(name, after);
    const wanted = substituted(pattern.result, type, this.#bindings);
    if (wanted !== null) this.#results.set(argument, wanted);
    return wanted;
  }

  /** The type of each argument, a lambda's being that of its result. */
  casts(): readonly Type[] {
    return this.overload.parameters.map(({ pattern }, argument): Type => {
      const given = this.#given[argument];
      const own = given === undefined || isLambda(given) ? null : given;
      const type = this.#results.get(argument) ?? substituted(pattern, own, this.#bindings);
      return type ?? { kind: 'STRING' };
    });
  }
}

/**
 * The overload that has lambdas where the call has them and takes its other arguments, exactly rather than widened; null when
 * there is none. The numbers of parameters of lambdas do not count where `anyLambda`.
 */
export function matchLambdas(
  overloads: readonly Overload[],
  given: readonly Given[],
  anyLambda = false,
): LambdaMatch | null {
  let widened: LambdaMatch | null = null;
  for (const overload of overloads) {
    const bindings: Bindings = new Map();
    const fits = fitAround(overload, given, bindings, anyLambda);
    if (fits === null) continue;
    const match = new LambdaMatch(overload, given, bindings);
    if (fits === 'exact') return match;
    widened ??= match;
  }
  return widened;
}

function fitAround(
  { parameters }: Overload,
  given: readonly Given[],
  bindings: Bindings,
  anyLambda: boolean,
): 'exact' | 'widened' | null {
  if (parameters.length !== given.length || parameters.some(({ variadic }) => variadic))
    return null;
  let widens = false;
  for (const [index, { pattern }] of parameters.entries()) {
    const argument = given[index] ?? null;
    if (isLambda(argument) !== (pattern.pattern === 'lambda')) return null;
    if (isLambda(argument)) {
      const takes = pattern.pattern === 'lambda' ? pattern.parameters.length : 0;
      if (!anyLambda && argument.parameters !== takes) return null;
    } else if (argument !== null) {
      const found = fit(argument, pattern, bindings);
      if (found === null) return null;
      widens ||= found.widens;
    }
  }
  return widens ? 'widened' : 'exact';
}
