// Expressions without loops as columns: a closure a row, or, over one column of which it is known which rows hold the same, once for those. Knows no operator.

import { madeTooMuch, RecordError } from '../base/errors.ts';
import { BATCH_WEIGHT_MAX } from '../base/limits.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Bitmap, type Column } from '../data/column.ts';
import { columnOf } from '../data/column-of.ts';
import { gatherColumn } from '../data/dense.ts';
import { storageOf } from '../data/storage.ts';
import type { Type, Value } from '../data/type.ts';
import { VALUE_CODES, type ValueCodes } from '../data/value-codes.ts';
import { weightOf } from '../data/value.ts';
import type { ColumnFunction, Evaluation } from './evaluate.ts';
import { columnsRead, type Expr } from './expr.ts';
import type { RowContext, RowFunction } from './rows.ts';
import { arrayRows } from './vectors.ts';

/** Where more of the rows have a code of their own, texts that are computed of them are held one by one: few are alike. */
const SHARED_CODES_MAX = 0.75;

/** The weight of heavy values that expressions have made of a batch; all others are too light to be much. */
const MADE = new WeakMap<Batch, number>();
const LIGHT_MAX = 64;

/** The expression as a column, by the closure that computes a row. */
export function byRows(expr: Expr, rowValue: RowFunction): ColumnFunction {
  const { type } = expr;
  const [only = -1, ...others] = columnsRead(expr);
  return (batch, evaluation) => {
    const column = others.length === 0 ? batch.columns[only] : undefined;
    const coded = column && codesOf(column);
    return coded && coded.size < batch.length
      ? byEntries(type, rowValue, batch, column.validity, coded, evaluation)
      : rowByRow(type, rowValue, batch, evaluation);
  };
}

function codesOf(column: Column): ValueCodes | undefined {
  if (column.storage === 'dictionary')
    return { codes: column.values, size: column.dictionary.size };
  return column.storage === 'objects' ? VALUE_CODES.get(column.values) : undefined;
}

function guarded(
  rowValue: RowFunction,
  batch: Batch,
  position: number,
  evaluation: Evaluation,
): Value {
  let value: Value;
  try {
    value = rowValue(batch, position, evaluation.at(position));
  } catch (thrown) {
    if (!(thrown instanceof RecordError)) throw thrown;
    evaluation.failed(position, thrown.message);
    return null;
  }
  const weight = weightOf(value);
  if (weight > LIGHT_MAX) {
    const made = (MADE.get(batch) ?? 0) + weight;
    MADE.set(batch, made);
    // No problem of the row: of fewer rows, which are taken next, it is less.
    if (made > BATCH_WEIGHT_MAX) madeTooMuch();
  }
  // Half of a pair becomes U+FFFD, as it does in a dictionary, in state and in records.
  return typeof value === 'string' ? value.toWellFormed() : value;
}

function rowByRow(type: Type, rowValue: RowFunction, batch: Batch, evaluation: Evaluation): Column {
  const values: Value[] = [];
  // Positions that do not count are filled, so that the others stay where they are.
  const fill = (to: number): void => {
    while (values.length < to) values.push(null);
  };
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    fill(position);
    values.push(guarded(rowValue, batch, position, evaluation));
  }
  fill(arrayRows(batch));
  return storedAs(type, values, false);
}

/** @param isShared a text is that of several rows, and has an entry in a dictionary; false: mostly no two are alike */
function storedAs(type: Type, values: readonly Value[], isShared: boolean): Column {
  if (storageOf(type) === 'objects' && !(isShared && type.kind === 'STRING'))
    return { type, validity: null, storage: 'objects', values };
  return columnOf(type, values);
}

/** As row by row, but for rows of one code, or of null, computed once; unless it told or drew something for its row. */
function byEntries(
  type: Type,
  rowValue: RowFunction,
  batch: Batch,
  validity: Bitmap | null,
  { codes, size }: ValueCodes,
  evaluation: Evaluation,
): Column {
  const watched = new Watched(evaluation);
  const values: Value[] = [];
  const places = new Uint32Array(arrayRows(batch));
  /** By code, and behind all codes for null: 1 + where its value is, 0 for none. */
  const known = new Uint32Array(size + 1);
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    const isNull = validity !== null && !bitAt(validity, position);
    const code = isNull ? size : (codes[position] as number);
    let place = known[code] as number;
    if (place === 0) {
      watched.isOfRow = false;
      values.push(guarded(rowValue, batch, position, watched));
      place = values.length;
      if (!watched.isOfRow) known[code] = place;
    }
    places[position] = place - 1;
  }
  const isShared = size < batch.length * SHARED_CODES_MAX;
  return gatherColumn(storedAs(type, values, isShared), places);
}

/** Notices what makes a value that of one row. */
class Watched implements Evaluation, RowContext {
  isOfRow = false;
  readonly #inner: Evaluation;
  #row: RowContext | null = null;

  constructor(inner: Evaluation) {
    this.#inner = inner;
  }

  at(position: number): RowContext {
    this.#row = this.#inner.at(position);
    return this;
  }

  get now(): number {
    return this.#row?.now ?? 0;
  }

  random(): number {
    this.isOfRow = true;
    return this.#row?.random() ?? 0;
  }

  itemFailed(reason: string): void {
    this.isOfRow = true;
    this.#row?.itemFailed(reason);
  }

  failed(position: number, reason: string): void {
    this.isOfRow = true;
    this.#inner.failed(position, reason);
  }
}
