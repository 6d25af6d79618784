// What functions give, as their descriptions show it; knows no call.

import { array, decimal, map, type Type, typeText } from '../data/type.ts';
import type { Overload, Pattern } from './registry.ts';
import { patternText } from './resolve.ts';

/** The type that an argument for the pattern could have, a variable being a type of that name; of a lambda, that of its result. */
export function sampleOf(pattern: Pattern): Type {
  switch (pattern.pattern) {
    case 'type':
      return pattern.type;
    case 'decimal':
      return decimal(18, 4);
    case 'array':
      return array(sampleOf(pattern.item));
    case 'map':
      return map(sampleOf(pattern.key), sampleOf(pattern.value));
    case 'lambda':
      return sampleOf(pattern.result);
    default:
      return { kind: patternText(pattern) } as unknown as Type;
  }
}

/** As `typeText`, decimals without their size. */
export function shownType(type: Type): string {
  return typeText(type).replaceAll(/(DECIMAL)\(.+?\)/g, '$1');
}

/** The type of what a call gives. */
export function shownResult({ parameters, returns }: Overload): string {
  return shownType(returns(parameters.map(({ pattern }) => sampleOf(pattern))));
}
