// Expressions as closures that give one row's value: any expression, lazily; the general path. Knows no typed arrays.

import { existing } from '../base/assert.ts';
import { InvariantError, RecordError, StatementError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { valueAt } from '../data/column.ts';
import type { Type, Value } from '../data/type.ts';
import { checkLength, valueEquals, weigher } from '../data/value.ts';
import { arithmetic, negation } from './arithmetic.ts';
import { castOf } from './cast.ts';
import { comparator } from './compare.ts';
import type { Comparison, Expr } from './expr.ts';
import { likeMatcher } from './like.ts';
import { literalValue } from './literal.ts';
import { LAMBDAS } from './parts.ts';

/** What a function call may ask besides its arguments; functions/registry.ts declares the same for the functions. */
export interface CallContext {
  readonly now: number;
  random(): number;
}

/** What evaluating one row asks and tells. */
export interface RowContext extends CallContext {
  /** An item of a constructor failed: it is null, and the rest of the row's value is computed. */
  itemFailed(reason: string): void;
}

/** A lambda of a call, for one row; functions/registry.ts declares the same for the functions. */
export type LambdaFunction = (...values: readonly Value[]) => Value;

export type Body = (
  values: readonly Value[],
  context: CallContext,
  lambdas: readonly LambdaFunction[],
) => Value;

/** What expressions need of the function registry: the bodies, by the signature that the plan names. */
export interface ScalarFunctions {
  bySignature(
    name: string,
    signature: string,
  ):
    | { readonly kind: 'aggregate' | 'table' }
    | {
        readonly kind: 'scalar';
        readonly nullPropagating: boolean;
        readonly body: ((argumentTypes: readonly Type[]) => Body) | null;
      }
    | null;
}

/**
 * The value of an expression at one position of a batch's arrays.
 * @throws {RecordError} EXPRESSION when it fails on this row
 */
export type RowFunction = (batch: Batch, position: number, context: RowContext) => Value;

/** What an expression finds in the body of a lambda. */
export interface LambdaScope {
  /** The value of the parameter of that name, of the innermost lambda that has one. */
  parameter(name: string): RowFunction;
  /** As `value`, but null is a failure: so does arithmetic on a null within a lambda, as in ksqlDB. */
  defined(value: RowFunction): RowFunction;
}

/**
 * Makes the closure of an expression; `scope` is null outside of lambdas.
 * @throws {StatementError} for a function or a cast that does not exist
 */
export function compileRows(
  expr: Expr,
  functions: ScalarFunctions,
  scope: LambdaScope | null = null,
): RowFunction {
  const compile = (of: Expr): RowFunction => compileRows(of, functions, scope);
  const computed = (value: RowFunction): RowFunction => scope?.defined(value) ?? value;
  switch (expr.expr) {
    case 'column': {
      const { index } = expr;
      return (batch, position) => valueAt(existing(batch.columns[index], 'column'), position);
    }
    case 'literal': {
      const value = literalValue(expr.value, expr.type);
      return () => value;
    }
    case 'call':
      return call(expr, functions, scope);
    case 'cast': {
      const argument = compile(expr.argument);
      const cast = castOf(expr.argument.type, expr.type);
      return (batch, position, context) => {
        const value = argument(batch, position, context);
        return value === null ? null : cast(value);
      };
    }
    case 'compare': {
      const holds = comparison(expr.op, expr.left.type, expr.right.type);
      return both(compile(expr.left), compile(expr.right), holds, false);
    }
    case 'distinct': {
      const left = compile(expr.left);
      const right = compile(expr.right);
      const { distinct } = expr;
      const compare = comparator(expr.left.type, expr.right.type);
      return (batch, position, context) => {
        const a = left(batch, position, context);
        const b = right(batch, position, context);
        return (a === null || b === null ? a === b : compare(a, b) === 0) !== distinct;
      };
    }
    case 'logic': {
      const left = compile(expr.left);
      const right = compile(expr.right);
      const decides = expr.op === 'OR';
      return (batch, position, context) => {
        const a = left(batch, position, context);
        if (a === decides) return decides;
        const b = right(batch, position, context);
        return b === decides ? decides : a === null || b === null ? null : !decides;
      };
    }
    case 'not':
      return one(compile(expr.argument), (value) => value !== true);
    case 'isNull': {
      const argument = compile(expr.argument);
      const { negated } = expr;
      return (batch, position, context) =>
        (argument(batch, position, context) === null) !== negated;
    }
    case 'arithmetic': {
      const compute = arithmetic(expr.op, expr.left.type, expr.right.type, expr.type);
      return computed(both(compile(expr.left), compile(expr.right), compute, null));
    }
    case 'negate':
      return computed(one(compile(expr.argument), negation(expr.type)));
    case 'concat':
      return both(compile(expr.left), compile(expr.right), concatenate, null);
    case 'in':
      return inList(expr, compile);
    case 'like':
      return like(expr, compile);
    case 'case': {
      const branches = expr.branches.map((branch) => ({
        when: compile(branch.when),
        then: compile(branch.then),
      }));
      const otherwise = expr.otherwise === null ? () => null : compile(expr.otherwise);
      return (batch, position, context) => {
        for (const { when, then } of branches) {
          if (when(batch, position, context) === true) return then(batch, position, context);
        }
        return otherwise(batch, position, context);
      };
    }
    case 'subscript': {
      const read = expr.base.type.kind === 'MAP' ? mapItem : arrayItem;
      return both(compile(expr.base), compile(expr.index), read, null);
    }
    case 'field': {
      const { field } = expr;
      return one(compile(expr.base), (value) => (value as readonly Value[])[field] ?? null);
    }
    case 'array':
      return all(expr.items.map(compile));
    case 'struct':
      return all(expr.fields.map(compile));
    case 'map': {
      const entries = expr.entries.map((entry) => ({
        key: item(compile(entry.key)),
        value: item(compile(entry.value)),
      }));
      return (batch, position, context) => {
        const into = new Map<Value, Value>();
        const weighed = weigher();
        for (const { key, value } of entries) {
          into.set(
            weighed(key(batch, position, context)),
            weighed(value(batch, position, context)),
          );
        }
        return into;
      };
    }
    case 'parameter':
      if (scope !== null) return scope.parameter(expr.name);
      throw new InvariantError(`the parameter ${expr.name} stands outside of its lambda`);
    case 'lambda':
      throw new InvariantError('a lambda stands outside of a call');
  }
}

/** An item of a constructor: null where it fails, after that was told. */
function item(value: RowFunction): RowFunction {
  return (batch, position, context) => {
    try {
      return value(batch, position, context);
    } catch (thrown) {
      if (!(thrown instanceof RecordError)) throw thrown;
      context.itemFailed(thrown.message);
      return null;
    }
  };
}

/** One operand; null gives null. */
function one(argument: RowFunction, compute: (value: Value) => Value): RowFunction {
  return (batch, position, context) => {
    const value = argument(batch, position, context);
    return value === null ? null : compute(value);
  };
}

/** Two operands; a null among them gives `onNull`. */
function both(
  left: RowFunction,
  right: RowFunction,
  compute: (a: Value, b: Value) => Value,
  onNull: Value,
): RowFunction {
  return (batch, position, context) => {
    const a = left(batch, position, context);
    const b = right(batch, position, context);
    return a === null || b === null ? onNull : compute(a, b);
  };
}

function all(values: readonly RowFunction[]): RowFunction {
  const items = values.map(item);
  return (batch, position, context) => {
    const weighed = weigher();
    return items.map((each) => weighed(each(batch, position, context)));
  };
}

function comparison(op: Comparison, left: Type, right: Type): (a: Value, b: Value) => boolean {
  const compare = comparator(left, right);
  switch (op) {
    case '=':
      return (a, b) => compare(a, b) === 0;
    case '<>':
      return (a, b) => compare(a, b) !== 0;
    case '<':
      return (a, b) => compare(a, b) < 0;
    case '<=':
      return (a, b) => compare(a, b) <= 0;
    case '>':
      return (a, b) => compare(a, b) > 0;
    case '>=':
      return (a, b) => compare(a, b) >= 0;
  }
}

const concatenate = (a: Value, b: Value): Value => {
  const left = a as Uint8Array;
  const right = b as Uint8Array;
  checkLength(left.length + right.length);
  if (typeof a === 'string') return a + (b as string);
  const joined = new Uint8Array(left.length + right.length);
  joined.set(left);
  joined.set(right, left.length);
  return joined;
};

/** 1 is the first item, -1 the last; beyond the array it is null. */
const arrayItem = (array: Value, index: Value): Value => {
  const items = array as readonly Value[];
  const at = Number(index);
  return items[at > 0 ? at - 1 : items.length + at] ?? null;
};

const mapItem = (map: Value, key: Value): Value =>
  (map as ReadonlyMap<Value, Value>).get(key) ?? null;

/** A null is in no list, and null items of the list match nothing; NOT IN is the opposite. */
function inList(expr: Expr & { expr: 'in' }, compile: (of: Expr) => RowFunction): RowFunction {
  const argument = compile(expr.argument);
  const items = expr.list.map((option) => ({
    value: compile(option),
    equal: comparison('=', expr.argument.type, option.type),
  }));
  const { negated } = expr;
  return (batch, position, context) => {
    const value = argument(batch, position, context);
    if (value === null) return negated;
    for (const option of items) {
      const candidate = option.value(batch, position, context);
      if (candidate !== null && option.equal(value, candidate)) return !negated;
    }
    return negated;
  };
}

/** Compiles the pattern once where it is a literal, else again when it differs from the last row's. */
function like(expr: Expr & { expr: 'like' }, compile: (of: Expr) => RowFunction): RowFunction {
  const { negated, escape } = expr;
  let pattern: Value = null;
  let matches: (text: string) => boolean = () => false;
  return both(
    compile(expr.argument),
    compile(expr.pattern),
    (text, wanted) => {
      if (!valueEquals(wanted, pattern)) {
        matches = likeMatcher(wanted as string, escape);
        pattern = wanted;
      }
      return matches(text as string) !== negated;
    },
    false,
  );
}

/** What a function made, which may be a step of many: each is no longer than one may be. @throws {RecordError} EXPRESSION */
function bounded(value: Value): Value {
  if (typeof value === 'string' || Array.isArray(value)) checkLength(value.length);
  return value;
}

function call(
  expr: Expr & { expr: 'call' },
  functions: ScalarFunctions,
  scope: LambdaScope | null,
): RowFunction {
  const found = functions.bySignature(expr.function, expr.signature);
  if (found === null || found.kind !== 'scalar') {
    throw new StatementError('UNKNOWN_FUNCTION', `there is no scalar function ${expr.signature}`);
  }
  if (found.body === null)
    throw new InvariantError(`${expr.signature} was not loaded when it was planned`);
  const body = found.body(expr.arguments.map((argument) => argument.type));
  const { nullPropagating } = found;
  if (expr.arguments.some((argument) => argument.expr === 'lambda')) {
    return LAMBDAS.code.callWithLambdas({ expr, body, nullPropagating, functions, scope });
  }
  const values = expr.arguments.map((argument) => compileRows(argument, functions, scope));
  return (batch, position, context) => {
    const given: Value[] = [];
    for (const value of values) {
      const each = value(batch, position, context);
      if (each === null && nullPropagating) return null;
      given.push(each);
    }
    return bounded(body(given, context, []));
  };
}
