// What functions give, as their descriptions show it, type variables by their names; knows no call.

import { array, decimal, map, STRING, struct, type Type, typeText } from '../data/type.ts';
import type { Overload, Pattern } from './registry.ts';

/** Stands for a type variable in result types: a type that no function gives. */
function variableType(name: string): Type {
  return struct([{ name, type: STRING }]);
}

/** A decimal of any size. */
export const SAMPLE_DECIMAL = decimal(18, 4);

/** A type as the reference shows it: variables by their name, decimals without their size. */
export function shownType(type: Type): string {
  switch (type.kind) {
    case 'ARRAY':
      return `ARRAY<${shownType(type.item)}>`;
    case 'MAP':
      return `MAP<${shownType(type.key)}, ${shownType(type.value)}>`;
    case 'DECIMAL':
      return 'DECIMAL';
    case 'STRUCT': {
      const [only, ...others] = type.fields;
      if (only !== undefined && others.length === 0 && /^([A-Z]|ANY|STRUCT)$/.test(only.name))
        return only.name;
      const fields = type.fields.map((field) => `${field.name} ${shownType(field.type)}`);
      return `STRUCT<${fields.join(', ')}>`;
    }
    default:
      return typeText(type);
  }
}

/** The type that an argument for the pattern could have; of a lambda, that of its result. */
export function sampleOf(pattern: Pattern): Type {
  switch (pattern.pattern) {
    case 'type':
      return pattern.type;
    case 'unit':
      return STRING;
    case 'decimal':
      return SAMPLE_DECIMAL;
    case 'any':
      return variableType(pattern.variable);
    case 'anyStruct':
      return variableType('STRUCT');
    case 'array':
      return array(sampleOf(pattern.item));
    case 'map':
      return map(sampleOf(pattern.key), sampleOf(pattern.value));
    case 'lambda':
      return sampleOf(pattern.result);
  }
}

/** What a call gives. */
export function shownResult({ parameters, returns }: Overload): string {
  return shownType(returns(parameters.map(({ pattern }) => sampleOf(pattern))));
}
