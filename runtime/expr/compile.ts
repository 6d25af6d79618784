// Compiles expressions of every kind: typed loops where they serve, else a closure per row. Knows no operator.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { positionOf } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import { storageOf } from '../data/storage.ts';
import { BOOLEAN } from '../data/type.ts';
import { byRows } from './by-rows.ts';
import type { ColumnFunction, Predicate } from './evaluate.ts';
import type { Expr } from './expr.ts';
import { likeMatcher } from './like.ts';
import { constantColumn, literalValue } from './literal.ts';
import { NUMBERS } from './parts.ts';
import { compileRows, type ScalarFunctions } from './rows.ts';
import {
  arithmeticF64,
  arithmeticI32,
  arithmeticI64,
  arrayRows,
  type ColumnOf,
  compareEntries,
  compareF64,
  compareI32,
  compareI64,
  logic,
  not,
  nulls,
  type Storage,
} from './vectors.ts';

export { Draws } from './draws.ts';
export { compileRows } from './rows.ts';

/** As `compile`, for an expression of any kind. */
export function compileAny(expr: Expr, functions: ScalarFunctions): ColumnFunction {
  return vectorOf(expr) ?? byRows(expr, compileRows(expr, functions));
}

/** Where predicates choose, mostly few rows of many. */
const CHOSEN = new Uint32Array(BATCH_ROWS_MAX);

/** As `compile`, for an expression of type BOOLEAN that chooses rows. */
export function compilePredicate(expr: Expr, functions: ScalarFunctions): Predicate {
  const evaluate = compileAny(expr, functions);
  return (batch, evaluation) => {
    const truths = evaluate(batch, evaluation) as ColumnOf<'u8'>;
    const { validity, values } = truths;
    const chosen = batch.length > BATCH_ROWS_MAX ? new Uint32Array(batch.length) : CHOSEN;
    let count = 0;
    if (batch.selection === null && validity === null) {
      // Without a branch: whether a row passes is as good as random.
      for (let i = 0; i < batch.length; i++) {
        chosen[count] = i;
        count += values[i] as number;
      }
      return chosen.slice(0, count);
    }
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (values[position] === 1 && (validity === null || bitAt(validity, position))) {
        chosen[count++] = position;
      }
    }
    return chosen.slice(0, count);
  };
}

/** True when the expression is computed by typed loops over columns, not by a closure a row. */
export function isLooped(expr: Expr): boolean {
  return vectorOf(expr) !== null;
}

/** The expression as typed loops; null when a part of it can fail on a row or has no loop. */
function vectorOf(expr: Expr): ColumnFunction | null {
  switch (expr.expr) {
    case 'column': {
      const { index } = expr;
      return (batch) => batch.columns[index] as Column;
    }
    case 'literal': {
      const value = literalValue(expr.value, expr.type);
      let made: Column | null = null;
      return (batch) => {
        const rows = arrayRows(batch);
        if (made === null || made.values.length !== rows)
          made = constantColumn(value, expr.type, rows);
        return made;
      };
    }
    case 'compare':
      return compareVector(expr);
    case 'like':
      return likeVector(expr);
    case 'arithmetic':
      return arithmeticVector(expr);
    case 'in':
      // What is null is in no list, so that NOT IN is the opposite of IN throughout.
      if (expr.negated) {
        return vectorOf({ expr: 'not', argument: { ...expr, negated: false }, type: BOOLEAN });
      }
      if (expr.argument.type.kind === 'STRING') return textListVector(expr);
      return NUMBERS.code.listVector(expr, vectorOf);
    case 'cast':
      return NUMBERS.code.castVector(expr, vectorOf);
    case 'negate':
      return NUMBERS.code.negateVector(expr, vectorOf);
    case 'case':
      return NUMBERS.code.caseVector(expr, vectorOf);
    case 'logic': {
      const { op } = expr;
      return pair(expr.left, expr.right, 'u8', (a, b) => logic(op, a, b));
    }
    case 'not': {
      const argument = vectorOf(expr.argument);
      return argument === null ? null : (batch, to) => not(argument(batch, to) as ColumnOf<'u8'>);
    }
    case 'isNull': {
      const argument = vectorOf(expr.argument);
      const { negated } = expr;
      if (argument === null) return null;
      return (batch, to) => nulls(argument(batch, to), negated, arrayRows(batch));
    }
    default:
      return null;
  }
}

/** Both operands as columns of that storage; null when one has no loop. */
function pair<S extends Storage>(
  left: Expr,
  right: Expr,
  storage: S,
  compute: (a: ColumnOf<S>, b: ColumnOf<S>) => Column,
): ColumnFunction | null {
  if (storageOf(left.type) !== storage || storageOf(right.type) !== storage) return null;
  const a = vectorOf(left);
  const b = vectorOf(right);
  if (a === null || b === null) return null;
  return (batch, to) => compute(a(batch, to) as ColumnOf<S>, b(batch, to) as ColumnOf<S>);
}

/** As `pair`; a constant on the right is given as one value. */
function comparison<S extends Storage>(
  left: Expr,
  right: Expr,
  storage: S,
  compute: (a: ColumnOf<S>, b: ColumnOf<S>) => Column,
): ColumnFunction | null {
  if (right.expr !== 'literal' || right.value === null || storageOf(right.type) !== storage)
    return pair(left, right, storage, compute);
  const b = constantColumn(literalValue(right.value, right.type), right.type, 1);
  const a = vectorOf(left);
  return a && ((batch, to) => compute(a(batch, to) as ColumnOf<S>, b as ColumnOf<S>));
}

function compareVector(expr: Expr & { expr: 'compare' }): ColumnFunction | null {
  const { op, left, right } = expr;
  switch (storageOf(left.type)) {
    case 'f64':
      return comparison(left, right, 'f64', (a, b) => compareF64(op, a, b));
    case 'i32':
      return comparison(left, right, 'i32', (a, b) => compareI32(op, a, b));
    case 'i64':
      return comparison(left, right, 'i64', (a, b) => compareI64(op, a, b));
    default:
      break;
  }
  if (left.type.kind !== 'STRING' || right.expr !== 'literal' || typeof right.value !== 'string')
    return null;
  const text = right.value;
  const holds = {
    '=': (own: string) => own === text,
    '<>': (own: string) => own !== text,
    '<': (own: string) => own < text,
    '<=': (own: string) => own <= text,
    '>': (own: string) => own > text,
    '>=': (own: string) => own >= text,
  }[op];
  return textVector(left, holds);
}

function likeVector(expr: Expr & { expr: 'like' }): ColumnFunction | null {
  const { argument, pattern, negated } = expr;
  if (pattern.expr !== 'literal' || typeof pattern.value !== 'string') return null;
  if (pattern.value.endsWith(expr.escape ?? '\0')) return null;
  const matches = likeMatcher(pattern.value, expr.escape);
  return textVector(argument, (text) => matches(text) !== negated);
}

/** Text in a list of literals. */
function textListVector(expr: Expr & { expr: 'in' }): ColumnFunction | null {
  const items = new Set<string>();
  for (const item of expr.list) {
    if (item.expr !== 'literal' || item.type.kind !== 'STRING') return null;
    if (typeof item.value === 'string') items.add(item.value);
  }
  return textVector(expr.argument, (text) => items.has(text));
}

/** A test of a STRING column's texts; a null is false. */
function textVector(argument: Expr, holds: (text: string) => boolean): ColumnFunction | null {
  const evaluate = vectorOf(argument);
  if (evaluate === null) return null;
  return (batch, to) => {
    const column = evaluate(batch, to);
    if (column.storage === 'dictionary') return compareEntries(column, holds);
    const texts = column.values;
    const values = new Uint8Array(texts.length);
    for (let i = 0; i < values.length; i++) {
      const text = texts[i];
      values[i] = typeof text === 'string' && holds(text) ? 1 : 0;
    }
    return { type: BOOLEAN, validity: null, storage: 'u8', values };
  };
}

function arithmeticVector(expr: Expr & { expr: 'arithmetic' }): ColumnFunction | null {
  const { op, type, left, right } = expr;
  if (type.kind === 'DOUBLE')
    return pair(left, right, 'f64', (a, b) => arithmeticF64(op, type, a, b));
  if (op === '/' || op === '%') return NUMBERS.code.divisionVector(expr, vectorOf);
  if (type.kind === 'INTEGER')
    return pair(left, right, 'i32', (a, b) => arithmeticI32(op, type, a, b));
  if (type.kind === 'BIGINT')
    return pair(left, right, 'i64', (a, b) => arithmeticI64(op, type, a, b));
  return null;
}
