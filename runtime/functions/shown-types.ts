// What functions give, as their descriptions show it; knows no call.

import { type Type, typeText } from '../data/type.ts';
import type { Overload, Pattern } from './registry.ts';
import { type Bindings, substituted } from './resolve.ts';

/** A type that is called as a type variable. */
const named = (kind: string): Type => ({ kind }) as unknown as Type;

/** Binds each variable to the type of its name. */
const NAMES = { get: named } as unknown as Bindings;

/** The type that an argument for the pattern could have; of a lambda, that of its result. */
export function sampleOf(pattern: Pattern): Type {
  const shown = pattern.pattern === 'lambda' ? pattern.result : pattern;
  return substituted(shown, null, NAMES) ?? named('ANY');
}

/** As `typeText`, decimals without their size. */
export function shownType(type: Type): string {
  return typeText(type).replaceAll(/(DECIMAL)\(.+?\)/g, '$1');
}

/** The type of what a call gives. */
export function shownResult({ parameters, returns }: Overload): string {
  return shownType(returns(parameters.map(({ pattern }) => sampleOf(pattern))));
}
