// From rows of a table's state to rows of a pull query's answer: its steps, filter, projection and order; knows no store.

import { existing } from '../base/assert.ts';
import { concatBytes } from '../base/byte-arrays.ts';
import { type Batch, positionOf, select } from '../data/batch.ts';
import { type Column, valueAt } from '../data/column.ts';
import { encodeKey } from '../data/key.ts';
import type { Schema } from '../data/schema.ts';
import { BIGINT, type Type, type Value } from '../data/type.ts';
import {
  type ColumnFunction,
  compile,
  compilePredicate,
  type Evaluation,
} from '../expr/evaluate.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Operator } from '../operators/operator.ts';
import type { PullPlan } from '../plan/pull.ts';
import { chance } from './chance.ts';
import type { Found } from './pull-finder.ts';
import { questionStep, through } from './pull-steps.ts';

/** One row of an answer. */
export interface AnswerRow {
  /** Rows stand in the order of these bytes. */
  readonly order: Uint8Array;
  readonly rowtime: number;
  /** One per column of the answer. */
  readonly values: readonly Value[];
}

interface OrderColumn {
  readonly type: Type;
  readonly compute: ColumnFunction;
  readonly descending: boolean;
}

export class Finish {
  /** Columns in the order of the SELECT. */
  readonly schema: Schema;
  readonly #row: Schema;
  readonly #steps: readonly Operator[];
  readonly #evaluation: Evaluation;
  readonly #predicate: ((batch: Batch) => Uint32Array) | null;
  /** In the order of the SELECT. */
  readonly #columns: readonly ColumnFunction[];
  readonly #order: readonly OrderColumn[];

  /** @param now what UNIX_TIMESTAMP gives, for all rows the same */
  constructor(pull: PullPlan, registry: FunctionRegistry, now: number) {
    const { order, schema, expressions } = pull.projection;
    this.schema = { columns: order.flatMap((index) => schema.columns[index] ?? []) };
    this.#row = pull.row;
    // A question leaves no trace: what fails is null in its answer.
    const failed = (): void => undefined;
    const context = { now, random: chance, itemFailed: failed };
    const evaluation: Evaluation = { at: () => context, failed };
    this.#evaluation = evaluation;
    const seed = crypto.randomUUID();
    this.#steps = pull.steps.map((step) =>
      questionStep(step, pull.table.schema, registry, () => ({ now, seed: '', idleSeed: seed })),
    );
    const predicate = pull.filter === null ? null : compilePredicate(pull.filter, registry);
    this.#predicate = predicate === null ? null : (batch) => predicate(batch, evaluation);
    this.#columns = order.flatMap((index) => {
      const expression = expressions[index];
      return expression === undefined ? [] : [compile(expression, registry)];
    });
    this.#order = pull.order.map(({ expr, descending }) => ({
      type: expr.type,
      compute: compile(expr, registry),
      descending,
    }));
  }

  /** The rows of the answer among those found, in the order of their keys. */
  *rows({ batch: found, keys }: Found): Iterable<AnswerRow> {
    const [batch] = through(this.#steps, found);
    if (batch === undefined) return;
    const row = withPseudoColumns(batch, this.#row);
    const passed = this.#predicate === null ? row : select(row, this.#predicate(row));
    if (passed === null) return;
    const columns = this.#columns.map((compute) => compute(passed, this.#evaluation));
    const orders = this.#order.map(({ compute }) => compute(passed, this.#evaluation));
    for (let i = 0; i < passed.length; i++) {
      const at = positionOf(passed, i);
      const key = existing(keys[passed.origin?.[at] ?? at], 'key');
      yield {
        order: orders.length === 0 ? key : this.#orderOf(orders, at, key),
        rowtime: passed.rowtime[at] ?? 0,
        values: columns.map((column) => valueAt(column, at)),
      };
    }
  }

  /** NULL stands before all else, and with DESC behind it; equal rows are in the order of their keys. */
  #orderOf(columns: readonly Column[], at: number, key: Uint8Array): Uint8Array {
    const parts = this.#order.map(({ type, descending }, index) => {
      const column = columns[index];
      const bytes = encodeKey([type], [column === undefined ? null : valueAt(column, at)]);
      // No value's bytes begin another's, so that turning all bits round turns the order round.
      return descending ? bytes.map((byte) => ~byte & 0xff) : bytes;
    });
    return concatBytes([...parts, key]);
  }
}

/** The columns of the source, then ROWTIME; a row of a table is of no one record and has no other. */
function withPseudoColumns(batch: Batch, row: Schema): Batch {
  const columns = row.columns.map((column, index): Column => {
    if (column.name === 'ROWTIME' && column.role === 'pseudo') return rowtimes(batch);
    const at =
      column.role === 'pseudo'
        ? batch.schema.columns.findIndex(
            ({ name, role }) => name === column.name && role === 'pseudo',
          )
        : index;
    // Of those that the state does not hold, the analysis lets nobody read one.
    return (
      batch.columns[at] ?? { type: column.type, validity: null, storage: 'objects', values: [] }
    );
  });
  return { ...batch, schema: row, columns };
}

function rowtimes({ rowtime }: Batch): Column {
  const values = BigInt64Array.from(rowtime, (ms) => BigInt(Math.trunc(ms) || 0));
  return { type: BIGINT, validity: null, storage: 'i64', values };
}
