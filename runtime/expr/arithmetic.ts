// Arithmetic on two non-null numbers, by type; knows no expressions but their operators.

import { RecordError } from '../base/errors.ts';
import type { Type, Value } from '../data/type.ts';
import { decimalArithmetic } from './decimal.ts';
import type { Arithmetic } from './expr.ts';

/** The opposite of a non-null number of that type; whole numbers wrap. */
export function negation(type: Type): (value: Value) => Value {
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
export function arithmetic(
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
