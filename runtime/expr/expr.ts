// The typed expression tree that plans carry: plain JSON over the columns of one schema; knows no values and no SQL text.

import type { Type } from '../data/type.ts';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';

/**
 * A literal as JSON: BOOLEAN true/false; INTEGER, DOUBLE, TIME, DATE and TIMESTAMP a number (a DOUBLE that is not finite
 * is the text "NaN", "Infinity" or "-Infinity"); BIGINT its digits as text; DECIMAL its text with full scale; STRING
 * text; BYTES base64. null is SQL NULL.
 */
export type LiteralJson = boolean | number | string | null;

/**
 * A typed expression. Every node has the type of its result; operands are already coerced to a common type, so the
 * evaluator never guesses. `index` is a position in the schema of the step's input.
 *
 * Nulls: arithmetic gives null when an operand is null; a comparison, LIKE and IN give false (so NOT of it is true), as
 * ksqlDB does; AND, OR, NOT follow three-valued logic; a function call follows its declaration.
 */
export type Expr =
  | { readonly expr: 'column'; readonly index: number; readonly type: Type }
  | { readonly expr: 'literal'; readonly value: LiteralJson; readonly type: Type }
  | {
      readonly expr: 'call';
      readonly function: string;
      /** Names the overload in the registry: the declared parameter types, e.g. `ABS(DOUBLE)`. */
      readonly signature: string;
      readonly arguments: readonly Expr[];
      readonly type: Type;
    }
  | { readonly expr: 'cast'; readonly argument: Expr; readonly type: Type }
  | {
      readonly expr: 'compare';
      readonly op: Comparison;
      readonly left: Expr;
      readonly right: Expr;
      readonly type: Type;
    }
  | {
      readonly expr: 'distinct';
      /** true: IS DISTINCT FROM; false: IS NOT DISTINCT FROM. */
      readonly distinct: boolean;
      readonly left: Expr;
      readonly right: Expr;
      readonly type: Type;
    }
  | {
      readonly expr: 'logic';
      readonly op: 'AND' | 'OR';
      readonly left: Expr;
      readonly right: Expr;
      readonly type: Type;
    }
  | { readonly expr: 'not'; readonly argument: Expr; readonly type: Type }
  | {
      readonly expr: 'isNull';
      readonly negated: boolean;
      readonly argument: Expr;
      readonly type: Type;
    }
  | {
      readonly expr: 'arithmetic';
      readonly op: Arithmetic;
      readonly left: Expr;
      readonly right: Expr;
      readonly type: Type;
    }
  | { readonly expr: 'negate'; readonly argument: Expr; readonly type: Type }
  | { readonly expr: 'concat'; readonly left: Expr; readonly right: Expr; readonly type: Type }
  | {
      readonly expr: 'in';
      readonly negated: boolean;
      readonly argument: Expr;
      readonly list: readonly Expr[];
      readonly type: Type;
    }
  | {
      readonly expr: 'like';
      readonly negated: boolean;
      readonly argument: Expr;
      readonly pattern: Expr;
      readonly escape: string | null;
      readonly type: Type;
    }
  | {
      /** Lazy: only the branch that is taken is evaluated. */
      readonly expr: 'case';
      readonly branches: readonly { readonly when: Expr; readonly then: Expr }[];
      readonly otherwise: Expr | null;
      readonly type: Type;
    }
  | { readonly expr: 'subscript'; readonly base: Expr; readonly index: Expr; readonly type: Type }
  | {
      readonly expr: 'field';
      readonly base: Expr;
      /** Position of the field in the STRUCT type of `base`. */
      readonly field: number;
      readonly type: Type;
    }
  | { readonly expr: 'array'; readonly items: readonly Expr[]; readonly type: Type }
  | {
      readonly expr: 'map';
      readonly entries: readonly { readonly key: Expr; readonly value: Expr }[];
      readonly type: Type;
    }
  | { readonly expr: 'struct'; readonly fields: readonly Expr[]; readonly type: Type }
  | {
      readonly expr: 'lambda';
      readonly parameters: readonly { readonly name: string; readonly type: Type }[];
      readonly body: Expr;
      readonly type: Type;
    }
  | { readonly expr: 'parameter'; readonly name: string; readonly type: Type };

/** An expression, or what holds some within one, by the names of its parts. */
type Parts = Record<string, unknown>;

/** The expression with each of its direct operands, which are whatever in it has an `expr`, replaced. */
export function withOperands(of: Expr, to: (operand: Expr) => Expr): Expr {
  return replaced(of, to) as Expr;
}

function replaced(of: Parts, to: (operand: Expr) => Expr): Parts {
  // Mostly expressions are such: they need no look.
  if (of.expr === 'column' || of.expr === 'literal') return of;
  const made = (Array.isArray(of) ? [...of] : { ...of }) as Parts;
  for (const name of Object.keys(of)) {
    const part = of[name] as Parts | null;
    if (typeof part === 'object' && part && name !== 'type')
      made[name] = part.expr ? to(part as Expr) : replaced(part, to);
  }
  return made;
}

/** The expression's direct operands. */
export function operands(of: Expr): readonly Expr[] {
  const found: Expr[] = [];
  withOperands(of, (operand) => {
    found.push(operand);
    return operand;
  });
  return found;
}

/** Positions of all columns that the expression reads, each once, ascending. */
export function columnsRead(of: Expr): number[] {
  const found = new Set<number>();
  const visit = (node: Expr): void => {
    if (node.expr === 'column') found.add(node.index);
    for (const operand of operands(node)) visit(operand);
  };
  visit(of);
  return [...found].sort((a, b) => a - b);
}
