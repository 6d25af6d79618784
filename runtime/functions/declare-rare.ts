// Short ways to declare what few functions have: constants, arguments of any types, rows as a result; knows no function.

import type { Type } from '../data/type.ts';
import type { Parameter, Pattern, TableBody, TableOverload } from './registry.ts';

/** The variable that is none: every argument of it has a type of its own. */
export const ANY_TYPE = 'ANY';

/** Any type, each argument its own. */
export const EACH_ANY: Pattern = { pattern: 'any', variable: ANY_TYPE };

/** An initial argument of an aggregate. */
export function constant(name: string, pattern: Pattern): Parameter {
  return { name, pattern, variadic: false, constant: true };
}

export interface TableDeclaration {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly returns: (argumentTypes: readonly Type[]) => Type;
  readonly body: TableBody;
}

/** A table function to which a null argument gives no rows. */
export function table(declaration: TableDeclaration): TableOverload {
  return {
    ...declaration,
    kind: 'table',
    category: 'TABLE',
    nullPropagating: true,
    body: () => declaration.body,
  };
}
