// Expressions without loops as columns: a closure a row, or, over one column of texts, an entry of its dictionary. Knows no operator.

import { RecordError } from '../base/errors.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { columnBuilder } from '../data/builder.ts';
import { bitAt, type Column } from '../data/column.ts';
import { gatherColumn } from '../data/dense.ts';
import type { Type, Value } from '../data/type.ts';
import type { ColumnFunction, Evaluation } from './evaluate.ts';
import { columnsRead, type Expr } from './expr.ts';
import type { RowContext, RowFunction } from './rows.ts';
import { arrayRows, type ColumnOf } from './vectors.ts';

/** The expression as a column, by the closure that computes a row. */
export function byRows(expr: Expr, rowValue: RowFunction): ColumnFunction {
  const { type } = expr;
  const [texts = -1, ...others] = columnsRead(expr);
  return (batch, evaluation) => {
    const column = others.length === 0 ? batch.columns[texts] : undefined;
    return column?.storage === 'dictionary' && column.dictionary.size < batch.length
      ? byEntries(type, rowValue, batch, column, evaluation)
      : rowByRow(type, rowValue, batch, evaluation);
  };
}

function guarded(
  rowValue: RowFunction,
  batch: Batch,
  position: number,
  evaluation: Evaluation,
): Value {
  try {
    return rowValue(batch, position, evaluation.at(position));
  } catch (thrown) {
    if (!(thrown instanceof RecordError)) throw thrown;
    evaluation.failed(position, thrown.message);
    return null;
  }
}

function rowByRow(type: Type, rowValue: RowFunction, batch: Batch, evaluation: Evaluation): Column {
  const builder = columnBuilder(type);
  let next = 0;
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    // Positions that do not count are filled, so that the others stay where they are.
    for (; next < position; next++) builder.appendNull();
    builder.append(guarded(rowValue, batch, position, evaluation));
    next++;
  }
  for (const rows = arrayRows(batch); next < rows; next++) builder.appendNull();
  return builder.finish();
}

/** As row by row, but for rows of one text, or of null, computed once; unless it told or drew something for its row. */
function byEntries(
  type: Type,
  rowValue: RowFunction,
  batch: Batch,
  { values, validity, dictionary }: ColumnOf<'dictionary'>,
  evaluation: Evaluation,
): Column {
  const watched = new Watched(evaluation);
  const builder = columnBuilder(type);
  const places = new Uint32Array(arrayRows(batch));
  /** By code, and behind all codes for null: 1 + the row of the builder, 0 for none. */
  const known = new Uint32Array(dictionary.size + 1);
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    const isNull = validity !== null && !bitAt(validity, position);
    const code = isNull ? dictionary.size : (values[position] as number);
    let place = known[code] as number;
    if (place === 0) {
      watched.isOfRow = false;
      builder.append(guarded(rowValue, batch, position, watched));
      place = builder.length;
      if (!watched.isOfRow) known[code] = place;
    }
    places[position] = place - 1;
  }
  return gatherColumn(builder.finish(), places);
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
