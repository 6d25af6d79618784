// The rarer ways in which argument types fit declared parameters: collections, and a type variable that stands for two types. Knows no function.

import type { Type } from '../data/type.ts';
import type { Pattern } from './registry.ts';
import { type Bindings, type Fit, fit, patternText, substituted } from './resolve.ts';

export { commonType } from '../data/common-type.ts';

/** As `fit`, for patterns that are no plain type and no variable. */
export function fitRarer(argument: Type, pattern: Pattern, bindings: Bindings): Fit | null {
  switch (pattern.pattern) {
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

/** As `substituted`, for patterns that are no plain type and no variable. */
export function substitutedRarer(
  pattern: Pattern,
  argument: Type | null,
  bindings: Bindings,
): Type | null {
  switch (pattern.pattern) {
    case 'array': {
      const item = substituted(
        pattern.item,
        argument?.kind === 'ARRAY' ? argument.item : null,
        bindings,
      );
      return item === null ? null : { kind: 'ARRAY', item };
    }
    case 'map': {
      const own = argument?.kind === 'MAP' ? argument : null;
      const key = substituted(pattern.key, own?.key ?? null, bindings);
      const value = substituted(pattern.value, own?.value ?? null, bindings);
      return key === null || value === null ? null : { kind: 'MAP', key, value };
    }
    default:
      return null;
  }
}

/** As `patternText`, for patterns of several parts. */
export function rarerPatternText(pattern: Pattern): string {
  switch (pattern.pattern) {
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
