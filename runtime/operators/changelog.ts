// Builds the rows of a changelog: values, old values and tombstones with their operations; knows no table.

import type { Batch, Op } from '../data/batch.ts';
import { BatchBuilder } from '../data/batch-builder.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { valueAt } from '../data/column.ts';
import type { Schema } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import type { Emit } from './operator.ts';

/** Appends rows; emits by itself when it is full, but never between an old row and its new one. */
export class ChangelogBuilder {
  readonly #builder: BatchBuilder;
  /** True for the columns that a tombstone has too. */
  readonly #isKey: readonly boolean[];

  constructor(schema: Schema) {
    this.#builder = new BatchBuilder(schema);
    this.#isKey = schema.columns.map(({ role }) => role === 'key' || role === 'window');
  }

  /** Emits what there is when fewer than two rows fit: call it before a row, or before an old row and its new one. */
  makeRoom(out: Emit): void {
    if (this.#builder.length + 2 > BATCH_ROWS_MAX) this.flush(out);
  }

  /** A row whose value columns come from `values` by position, or are all null: then the value as a whole is. */
  add(batch: Batch, position: number, op: Op, values: readonly Value[] | null): void {
    const row = this.#isKey.map((isKey, index) => {
      const column = batch.columns[index];
      if (isKey) return column === undefined ? null : valueAt(column, position);
      return values?.[index] ?? null;
    });
    this.#builder.append(row, batch.rowtime[position] ?? 0, op, batch.origin?.[position] ?? null);
    if (values === null) this.#builder.markValueNull();
  }

  flush(out: Emit): void {
    const batch = this.#builder.finish();
    if (batch !== null) out(batch);
  }
}
