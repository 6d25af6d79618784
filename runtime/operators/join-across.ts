// Gathers the rows of a join's output that are of several batches, of both of its sides, beside a whole kernel; knows no rule of joining.

import { type Bitmap, bitAt, type Column } from '../data/column.ts';
import { gatherColumn } from '../data/dense.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import type { JoinInput, KeptColumns, Span, Turn } from './join-output.ts';

/** What a JoinOutput holds when it is flushed. */
interface Held {
  readonly inputs: readonly [JoinInput, JoinInput];
  readonly kept: KeptColumns;
  readonly spans: readonly Span[];
  readonly count: number;
  /** By row its position in its batch, and its row of the other side. */
  readonly positions: Uint32Array;
  readonly others: Int32Array;
  readonly ownNull: Bitmap | null;
  /** Rows that are kept ones beside nulls, ascending; for each the number on its own side, and their keys. */
  readonly keptAt: readonly number[];
  readonly keptRows: readonly number[];
  readonly keptKeys: readonly Column[];
}

/**
 * The columns of all rows, and their origins.
 * @param originsFrom by turn what its origins count from
 */
export function across(
  held: Held,
  originsFrom: (turn: Turn) => number,
): { readonly columns: readonly Column[]; readonly origin: Uint32Array } {
  const { spans, count, positions } = held;
  const turns = [...new Set(spans.map(({ turn }) => turn))];
  const places = new Map(turns.map((turn, place) => [turn, place]));
  const of = new Uint32Array(count);
  const origin = new Uint32Array(count);
  for (let i = 0; i < spans.length; i++) {
    const { turn, from } = spans[i] as Span;
    const to = spans[i + 1]?.from ?? count;
    const place = places.get(turn) as number;
    const first = originsFrom(turn);
    const origins = turn.batch.origin as Uint32Array;
    for (let row = from; row < to; row++) {
      of[row] = place;
      origin[row] = (origins[positions[row] as number] as number) + first;
    }
  }
  const rows = new Rows(held, turns, of);
  return { columns: [...rows.keys(), ...rows.values(0), ...rows.values(1)], origin };
}

class Rows {
  readonly #held: Held;
  readonly #turns: readonly Turn[];
  /** By row the place of its turn. */
  readonly #of: Uint32Array;

  constructor(held: Held, turns: readonly Turn[], of: Uint32Array) {
    this.#held = held;
    this.#turns = turns;
    this.#of = of;
  }

  keys(): readonly Column[] {
    const { inputs, positions, count, keptAt, keptKeys } = this.#held;
    const batches = this.#of.slice();
    const at = positions.slice(0, count);
    keptAt.forEach((row, i) => {
      batches[row] = this.#turns.length;
      at[row] = i;
    });
    return inputs[0].keys.map((_, key) => {
      const columns = this.#turns.map(
        ({ batch, side }) => batch.columns[inputs[side as 0 | 1].keys[key] as number] as Column,
      );
      if (keptAt.length > 0) columns.push(keptKeys[key] as Column);
      return gathered(columns, batches, at);
    });
  }

  /** Of the rows of a side: as its batches have them, or as they are kept. */
  values(side: 0 | 1): readonly Column[] {
    const { inputs, kept, count, positions, others, ownNull, keptAt, keptRows } = this.#held;
    const own = this.#turns.filter((turn) => turn.side === side);
    const sources = this.#turns.map((turn) => own.indexOf(turn));
    const batches = new Uint32Array(count);
    const at = new Uint32Array(count);
    const numbers = new Int32Array(count);
    let known = 0;
    let keptNext = 0;
    for (let row = 0; row < count; row++) {
      const source = sources[this.#of[row] as number] as number;
      const isKept = keptAt[keptNext] === row;
      const keptRow = isKept ? (keptRows[keptNext++] as number) : NO_ROW;
      const isNull = isKept || (ownNull !== null && bitAt(ownNull, row));
      if (source >= 0 && !isNull) {
        batches[row] = source;
        at[row] = positions[row] as number;
        continue;
      }
      batches[row] = own.length;
      at[row] = known;
      numbers[known++] = source < 0 ? (others[row] as number) : keptRow;
    }
    const made = known === 0 ? null : kept.columnsOf(numbers.subarray(0, known), side);
    return inputs[side].values.map((position, i) => {
      const columns = own.map(({ batch }) => batch.columns[position] as Column);
      if (made !== null) columns.push(made[i] as Column);
      return known === count ? (made?.[i] as Column) : gathered(columns, batches, at);
    });
  }
}

function gathered(
  columns: readonly Column[],
  batches: Uint32Array,
  positions: Uint32Array,
): Column {
  const [only, more] = columns;
  if (only !== undefined && more === undefined) return gatherColumn(only, positions);
  return gatherAcross(columns, { batches, positions });
}
