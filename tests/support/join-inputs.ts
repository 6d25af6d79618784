// Steps and generated inputs of joins: rows of two sides, mixed; knows no operator.

import fc from 'fast-check';
import { type Batch, Op, slice } from '../../runtime/data/batch.ts';
import { prettySchema } from '../../runtime/data/pretty.ts';
import type { Schema, SchemaColumn } from '../../runtime/data/schema.ts';
import type { Type, Value } from '../../runtime/data/type.ts';
import type {
  JoinType,
  StreamStreamJoinStep,
  StreamTableJoinStep,
  TableTableJoinStep,
} from '../../runtime/plan/join-step.ts';
import { batchesOf, type Given, type Row } from './operator-contract.ts';

export const LEFT = prettySchema('K:STRING key | A:INTEGER | S:STRING @rowtime');
export const RIGHT = prettySchema('K:STRING key | B:BIGINT @rowtime');
const JOINED = prettySchema('K:STRING key | A:INTEGER | S:STRING | B:BIGINT @rowtime');
export const JOIN_TYPES: readonly JoinType[] = ['INNER', 'LEFT', 'RIGHT', 'FULL'];

const node = { id: '5', left: '1', right: '2', schema: JOINED } as const;

export function streamTableStep(type: JoinType): StreamTableJoinStep {
  return { ...node, step: 'streamTableJoin', type };
}

export function tableTableStep(type: JoinType): TableTableJoinStep {
  return { ...node, step: 'tableTableJoin', type };
}

export function streamStreamStep(
  type: JoinType,
  times: Pick<StreamStreamJoinStep, 'beforeMs' | 'afterMs' | 'graceMs'>,
): StreamStreamJoinStep {
  return { ...node, ...times, step: 'streamStreamJoin', type };
}

/** The schema with a key of another type, which `wholeSides` gives values for. */
export function keyedBy(type: Type, { columns, ...rest }: Schema): Schema {
  const [key, ...others] = columns as [SchemaColumn, ...SchemaColumn[]];
  return { ...rest, columns: [{ ...key, type }, ...others] };
}

/** How much later a row is than the one before: mostly little, seldom earlier. */
export const rowtimeSteps = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
  fc.integer({ min: -30, max: 30 }),
);

/** One row of a side; a value of null: the row is without one, or a tombstone. */
export interface SideRow {
  readonly side: number;
  readonly key: string | null;
  readonly value: readonly Value[] | null;
  readonly ms: number;
}

export interface SidesOptions {
  /** What a step in time may be. */
  readonly steps: fc.Arbitrary<number>;
  /** Which side is a table. */
  readonly tables: readonly boolean[];
}

/** Of each type a number for each key that is a text. */
const NUMBERS: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  INTEGER: { a: 0, b: -1, ab: 2_147_483_647 },
  BIGINT: { a: 0n, b: -1n, ab: 4_294_967_296n },
  DOUBLE: { a: 0, b: -0.5, ab: NaN },
};
const WORDS = ['', 'x', 'ä\0', 'a longer one'];
const leftValue = fc.tuple(
  fc.option(fc.integer({ min: 0, max: 9 })),
  fc.option(fc.constantFrom(...WORDS)),
);
const rightValue = fc.tuple(
  fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.constant(-9_007_199_254_740_995n))),
);

/** Rows of both sides in the order in which they come. */
export function sideRows({ steps, tables }: SidesOptions): fc.Arbitrary<readonly SideRow[]> {
  const side = (index: number): fc.Arbitrary<Omit<SideRow, 'ms'> & { step: number }> =>
    fc.record({
      side: fc.constant(index),
      // A source gives no rows of tables without a key.
      key: fc.option(fc.constantFrom('a', 'b', 'ab'), {
        freq: 12,
        nil: tables[index] === true ? 'b' : null,
      }),
      value: fc.option<readonly Value[]>(index === 0 ? leftValue : rightValue, { freq: 5 }),
      step: steps,
    });
  return fc.array(fc.oneof(side(0), side(1)), { minLength: 1, maxLength: 50 }).map((rows) => {
    let ms = 1000;
    return rows.map(({ step, ...row }) => {
      ms = Math.max(0, ms + step);
      return { ...row, ms };
    });
  });
}

/**
 * All rows of each side as one batch; null: there are none. Origins tell the sides apart.
 * @param inputs LEFT and RIGHT, or as `keyedBy` gives them
 */
export function wholeSides(
  rows: readonly SideRow[],
  tables: readonly boolean[],
  inputs: readonly Schema[] = [LEFT, RIGHT],
): readonly (Batch | null)[] {
  return inputs.map((own, side) => {
    const made = rows.filter((row) => row.side === side);
    const [batch = null] = batchesOf(
      own,
      made.map((row) => asRow(row, own, tables[side] === true)),
    );
    const origin = batch?.origin?.map((at) => at * 2 + side) ?? null;
    return batch && { ...batch, origin };
  });
}

/** The rows as runs of one side's batch, each as long as its side goes on. */
export function given(rows: readonly SideRow[], tables: readonly boolean[]): Given[] {
  const sides = wholeSides(rows, tables);
  const taken = [0, 0];
  const all: Given[] = [];
  for (let from = 0; from < rows.length;) {
    const side = rows[from]?.side ?? 0;
    let to = from + 1;
    while (rows[to]?.side === side) to++;
    const first = taken[side] ?? 0;
    taken[side] = first + to - from;
    const whole = sides[side] ?? null;
    const batch = whole && slice(whole, first, taken[side]);
    if (batch !== null) all.push({ to: side, batch });
    from = to;
  }
  return all;
}

function asRow({ key, value, ms }: SideRow, of: Schema, isTable: boolean): Row {
  const cells = value ?? of.columns.slice(1).map(() => null);
  const op = value === null ? Op.Delete : Op.Insert;
  const { kind } = (of.columns[0] as SchemaColumn).type;
  const numbers = NUMBERS[kind];
  return {
    values: [key === null || numbers === undefined ? key : (numbers[key] as Value), ...cells],
    rowtime: ms,
    op: isTable ? op : undefined,
    valueNull: value === null,
    keyNull: key === null,
  };
}
