// Chooses the typed loops of division, casts, IN and CASE over numbers, where there are such; knows no rows and no operator.

import type { Batch } from '../data/batch.ts';
import { type Column } from '../data/column.ts';
import { storageOf } from '../data/storage.ts';
import type { ColumnFunction } from './evaluate.ts';
import type { Expr } from './expr.ts';
import { literalValue } from './literal.ts';
import {
  chosen,
  divideI32,
  divideI64,
  negated,
  type Numbers,
  toF64,
  toI32,
  toI64,
  within,
} from './number-vectors.ts';
import { arrayRows, type ColumnOf } from './vectors.ts';

/** The typed loops of an operand; null when it has none. */
type VectorOf = (expr: Expr) => ColumnFunction | null;

/** Branches that a byte tells apart. */
const BRANCHES_MAX = 255;
/** Items of an IN, each of which takes a pass over the column. */
const ITEMS_MAX = 16;

/** A column computed from another one. */
function mapped<C extends Column>(
  argument: Expr,
  vectorOf: VectorOf,
  compute: (column: C) => Column,
): ColumnFunction | null {
  const evaluate = vectorOf(argument);
  return evaluate === null ? null : (batch, to) => compute(evaluate(batch, to) as C);
}

/** Division of whole numbers, by a literal: any other divisor may be 0, on which a row fails. */
export function divisionVector(
  expr: Expr & { expr: 'arithmetic' },
  vectorOf: VectorOf,
): ColumnFunction | null {
  const { op, type, left, right } = expr;
  if ((op !== '/' && op !== '%') || right.expr !== 'literal') return null;
  const divisor = literalValue(right.value, right.type);
  if (typeof divisor === 'number' && divisor !== 0 && type.kind === 'INTEGER') {
    return mapped<ColumnOf<'i32'>>(left, vectorOf, (a) => divideI32(op, type, a, divisor));
  }
  if (typeof divisor === 'bigint' && divisor !== 0n && type.kind === 'BIGINT') {
    return mapped<ColumnOf<'i64'>>(left, vectorOf, (a) => divideI64(op, type, a, divisor));
  }
  return null;
}

/** Casts between INTEGER, BIGINT and DOUBLE; those of DOUBLE to BIGINT go by rows. */
export function castVector(
  expr: Expr & { expr: 'cast' },
  vectorOf: VectorOf,
): ColumnFunction | null {
  const { type, argument } = expr;
  switch (`${argument.type.kind} ${type.kind}`) {
    case 'INTEGER DOUBLE':
    case 'BIGINT DOUBLE':
      return mapped<ColumnOf<'i32'> | ColumnOf<'i64'>>(argument, vectorOf, (a) => toF64(type, a));
    case 'INTEGER BIGINT':
      return mapped<ColumnOf<'i32'>>(argument, vectorOf, (a) => toI64(type, a));
    case 'BIGINT INTEGER':
    case 'DOUBLE INTEGER':
      return mapped<ColumnOf<'i64'> | ColumnOf<'f64'>>(argument, vectorOf, (a) => toI32(type, a));
    default:
      return null;
  }
}

export function negateVector(
  expr: Expr & { expr: 'negate' },
  vectorOf: VectorOf,
): ColumnFunction | null {
  if (!isNumber(expr)) return null;
  return mapped<Numbers>(expr.argument, vectorOf, (a) => negated(expr.type, a));
}

/** INTEGER, BIGINT and DOUBLE. */
function isNumber({ type: { kind } }: Expr): boolean {
  return kind === 'INTEGER' || kind === 'BIGINT' || kind === 'DOUBLE';
}

/** A number in a short list of literals of its type. */
export function listVector(expr: Expr & { expr: 'in' }, vectorOf: VectorOf): ColumnFunction | null {
  const { argument, list } = expr;
  if (!isNumber(argument) || list.length > ITEMS_MAX) return null;
  const items: (number | bigint)[] = [];
  for (const item of list) {
    if (item.expr !== 'literal' || item.type.kind !== argument.type.kind) return null;
    const value = literalValue(item.value, item.type);
    if (typeof value === 'number' || typeof value === 'bigint') items.push(value);
  }
  return mapped<Numbers>(argument, vectorOf, (a) => within(a, items));
}

/** A CASE that gives numbers or truths. No part of it can fail, so that all branches may be computed. */
export function caseVector(
  expr: Expr & { expr: 'case' },
  vectorOf: VectorOf,
): ColumnFunction | null {
  const { type } = expr;
  switch (storageOf(type)) {
    case 'f64':
      return caseOf<'f64'>(expr, vectorOf, (rows) => new Float64Array(rows));
    case 'i32':
      return caseOf<'i32'>(expr, vectorOf, (rows) => new Int32Array(rows));
    case 'i64':
      return caseOf<'i64'>(expr, vectorOf, (rows) => new BigInt64Array(rows));
    case 'u8':
      return caseOf<'u8'>(expr, vectorOf, (rows) => new Uint8Array(rows));
    default:
      return null;
  }
}

function caseOf<S extends 'f64' | 'i32' | 'i64' | 'u8'>(
  expr: Expr & { expr: 'case' },
  vectorOf: VectorOf,
  make: (rows: number) => ColumnOf<S>['values'],
): ColumnFunction | null {
  const { type, branches, otherwise } = expr;
  if (branches.length === 0 || branches.length > BRANCHES_MAX) return null;
  const parts: { readonly when: ColumnFunction; readonly then: ColumnFunction }[] = [];
  for (const branch of branches) {
    const when = vectorOf(branch.when);
    const then = vectorOf(branch.then);
    if (when === null || then === null) return null;
    parts.push({ when, then });
  }
  const other = otherwise === null ? null : vectorOf(otherwise);
  if (otherwise !== null && other === null) return null;
  return (batch: Batch, to) =>
    chosen<S>(
      type,
      parts.map(({ when, then }) => ({
        when: when(batch, to) as ColumnOf<'u8'>,
        then: then(batch, to) as ColumnOf<S>,
      })),
      (other?.(batch, to) ?? null) as ColumnOf<S> | null,
      make,
      arrayRows(batch),
    );
}
