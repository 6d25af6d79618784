// Expressions as closures that give one row's value: any expression, lazily; the general path. Knows no typed arrays.

import { InvariantError, RecordError, StatementError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { valueAt } from '../data/column.ts';
import type { Type, Value } from '../data/type.ts';
import { valueEquals } from '../data/value.ts';
import { castOf } from './cast.ts';
import { comparator } from './compare.ts';
import { decimalArithmetic } from './decimal.ts';
import type { Arithmetic, Comparison, Expr } from './expr.ts';
import { likeMatcher } from './like.ts';
import { literalValue } from './literal.ts';

/** What a function call may ask besides its arguments; functions/registry.ts declares the same for the functions. */
export interface CallContext {
  readonly now: number;
  random(): number;
}

type Body = (values: readonly Value[], context: CallContext) => Value;

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
export type RowFunction = (batch: Batch, position: number, context: CallContext) => Value;

/** Makes the closure of an expression. @throws {StatementError} for a function or a cast that does not exist */
export function compileRows(expr: Expr, functions: ScalarFunctions): RowFunction {
  const compile = (of: Expr): RowFunction => compileRows(of, functions);
  switch (expr.expr) {
    case 'column': {
      const { index } = expr;
      return (batch, position) => {
        const column = batch.columns[index];
        if (column === undefined) throw new InvariantError(`there is no column ${index}`);
        return valueAt(column, position);
      };
    }
    case 'literal': {
      const value = literalValue(expr.value, expr.type);
      return () => value;
    }
    case 'call':
      return call(expr, functions);
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
      return both(compile(expr.left), compile(expr.right), compute, null);
    }
    case 'negate':
      return one(compile(expr.argument), negation(expr.type));
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
      const item = expr.base.type.kind === 'MAP' ? mapItem : arrayItem;
      return both(compile(expr.base), compile(expr.index), item, null);
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
        key: compile(entry.key),
        value: compile(entry.value),
      }));
      return (batch, position, context) => {
        const into = new Map<Value, Value>();
        for (const { key, value } of entries) {
          into.set(key(batch, position, context), value(batch, position, context));
        }
        return into;
      };
    }
    case 'lambda':
    case 'parameter':
      throw new StatementError('UNSUPPORTED', 'lambda functions are not supported yet');
  }
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

function all(items: readonly RowFunction[]): RowFunction {
  return (batch, position, context) => items.map((item) => item(batch, position, context));
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
  if (typeof a === 'string') return a + (b as string);
  const left = a as Uint8Array;
  const right = b as Uint8Array;
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

function negation(type: Type): (value: Value) => Value {
  switch (type.kind) {
    case 'INTEGER':
      return (value) => -(value as number) | 0;
    case 'DOUBLE':
      return (value) => -(value as number);
    case 'BIGINT':
      return (value) => BigInt.asIntN(64, -(value as bigint));
    default:
      return (value) => -(value as bigint);
  }
}

const byZero = (): RecordError => new RecordError('EXPRESSION', 'division by zero');

/** The operator on two non-null values of these types; whole numbers wrap, division truncates. */
function arithmetic(
  op: Arithmetic,
  left: Type,
  right: Type,
  type: Type,
): (a: Value, b: Value) => Value {
  if (type.kind === 'DECIMAL') {
    const compute = decimalArithmetic(op, left, right, type);
    return (a, b) => compute(a as bigint, b as bigint);
  }
  if (type.kind === 'BIGINT') {
    const compute = bigintArithmetic(op);
    return (a, b) => BigInt.asIntN(64, compute(a as bigint, b as bigint));
  }
  const compute = type.kind === 'INTEGER' ? integerArithmetic(op) : doubleArithmetic(op);
  return (a, b) => compute(a as number, b as number);
}

function bigintArithmetic(op: Arithmetic): (a: bigint, b: bigint) => bigint {
  const checked = (b: bigint): bigint => {
    if (b === 0n) throw byZero();
    return b;
  };
  switch (op) {
    case '+':
      return (a, b) => a + b;
    case '-':
      return (a, b) => a - b;
    case '*':
      return (a, b) => a * b;
    case '/':
      return (a, b) => a / checked(b);
    case '%':
      return (a, b) => a % checked(b);
  }
}

function integerArithmetic(op: Arithmetic): (a: number, b: number) => number {
  const checked = (b: number): number => {
    if (b === 0) throw byZero();
    return b;
  };
  switch (op) {
    case '+':
      return (a, b) => (a + b) | 0;
    case '-':
      return (a, b) => (a - b) | 0;
    case '*':
      return Math.imul;
    case '/':
      return (a, b) => (a / checked(b)) | 0;
    case '%':
      return (a, b) => (a % checked(b)) | 0;
  }
}

function doubleArithmetic(op: Arithmetic): (a: number, b: number) => number {
  switch (op) {
    case '+':
      return (a, b) => a + b;
    case '-':
      return (a, b) => a - b;
    case '*':
      return (a, b) => a * b;
    case '/':
      return (a, b) => a / b;
    case '%':
      return (a, b) => a % b;
  }
}

/** Null when the argument is null; null items of the list match nothing. */
function inList(expr: Expr & { expr: 'in' }, compile: (of: Expr) => RowFunction): RowFunction {
  const argument = compile(expr.argument);
  const items = expr.list.map((item) => ({
    value: compile(item),
    equal: comparison('=', expr.argument.type, item.type),
  }));
  const { negated } = expr;
  return (batch, position, context) => {
    const value = argument(batch, position, context);
    if (value === null) return false;
    for (const item of items) {
      const candidate = item.value(batch, position, context);
      if (candidate !== null && item.equal(value, candidate)) return !negated;
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

function call(expr: Expr & { expr: 'call' }, functions: ScalarFunctions): RowFunction {
  const found = functions.bySignature(expr.function, expr.signature);
  if (found === null || found.kind !== 'scalar') {
    throw new StatementError('UNKNOWN_FUNCTION', `there is no scalar function ${expr.signature}`);
  }
  if (found.body === null)
    throw new InvariantError(`${expr.signature} was not loaded when it was planned`);
  const body = found.body(expr.arguments.map((argument) => argument.type));
  const values = expr.arguments.map((argument) => compileRows(argument, functions));
  const { nullPropagating } = found;
  return (batch, position, context) => {
    const given: Value[] = [];
    for (const value of values) {
      const each = value(batch, position, context);
      if (each === null && nullPropagating) return null;
      given.push(each);
    }
    return body(given, context);
  };
}
