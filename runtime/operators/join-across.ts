// Gathers the rows of a join's output that are of several batches, of both of its sides; knows no rule of joining.

import { existing } from '../base/assert.ts';
import { bitAt, type Column } from '../data/column.ts';
import { gatherColumn } from '../data/dense.ts';
import { gatherAcross } from '../data/gather-across.ts';
import { NO_ROW } from '../state/kept-rows.ts';
import type { Gathered, JoinOutput, Span, Turn } from './join-output.ts';
import type { Holding, Moment } from './operator.ts';

/** Whether rows of a turn may stand in one batch with those that an output holds. */
export function goesOn({ spans, holding }: JoinOutput, { batch, moment }: Turn): boolean {
  const before = spans.at(-1)?.turn;
  if (before === undefined || batch.origin === null || before.batch.origin === null) return false;
  return moment === before.moment || holding?.together !== undefined;
}

/** All rows that an output holds; null: they are of one batch, or all kept ones. */
export function across(output: JoinOutput): Gathered | null {
  const { spans, count, positions, keptAt } = output;
  if (spans.length === 1 && (keptAt.length === 0 || keptAt.length === count)) return null;
  const turns = [...new Set(spans.map(({ turn }) => turn))];
  const { moment, from } = momentOf(output, turns);
  const places = new Map(turns.map((turn, place) => [turn, place]));
  const of = new Uint32Array(count);
  const origin = new Uint32Array(count);
  for (let i = 0; i < spans.length; i++) {
    const { turn, from: first } = spans[i] as Span;
    const end = spans[i + 1]?.from ?? count;
    const place = places.get(turn) as number;
    const originsFrom = from.get(turn.moment) as number;
    const origins = turn.batch.origin;
    for (let row = first; row < end; row++) {
      of[row] = place;
      if (origins !== null)
        origin[row] = (origins[positions[row] as number] as number) + originsFrom;
    }
  }
  const rows = new Rows(output, turns, of);
  return {
    columns: [...rows.keys(), ...rows.values(0), ...rows.values(1)],
    origin: turns[0]?.batch.origin === null ? null : origin,
    moment,
  };
}

/** What the rows of all turns belong to, and what the origins of each moment's rows count from. */
function momentOf(
  { holding }: JoinOutput,
  turns: readonly Turn[],
): { readonly moment: Moment | null; readonly from: ReadonlyMap<Moment | null, number> } {
  const moments = [...new Set(turns.map(({ moment }) => moment))];
  const [first = null] = moments;
  if (moments.length === 1) return { moment: first, from: new Map([[first, 0]]) };
  const all = together(holding, moments as readonly Moment[]);
  const from = new Map(moments.map((moment, i) => [moment, all.from[i] as number]));
  return { moment: all.moment, from };
}

/** One moment for rows of several, which were held back only because there is one. */
export function together(
  holding: Holding | null,
  moments: readonly Moment[],
): { readonly moment: Moment; readonly from: readonly number[] } {
  return existing(holding?.together?.(moments), 'moment');
}

class Rows {
  readonly #output: JoinOutput;
  readonly #turns: readonly Turn[];
  /** By row the place of its turn. */
  readonly #of: Uint32Array;

  constructor(output: JoinOutput, turns: readonly Turn[], of: Uint32Array) {
    this.#output = output;
    this.#turns = turns;
    this.#of = of;
  }

  keys(): readonly Column[] {
    const { inputs, positions, count, keptAt } = this.#output;
    const keptKeys =
      keptAt.length === 0 ? null : this.#output.keptKeys?.map((column) => column.finish());
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
      if (keptKeys) columns.push(keptKeys[key] as Column);
      return gathered(columns, batches, at);
    });
  }

  /** Of the rows of a side: as its batches have them, or as they are kept. */
  values(side: 0 | 1): readonly Column[] {
    const { inputs, kept, count, positions, others, ownNull, keptAt, keptRows } = this.#output;
    const own: Turn[] = [];
    /** By turn its place among the own ones; of the other side: less than 0. */
    const sources = this.#turns.map((turn) => (turn.side === side ? own.push(turn) - 1 : -1));
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
