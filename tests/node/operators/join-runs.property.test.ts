// Joins that take many runs in one call give what they give run by run: rows, problems, counters and state. A failure prints its seed.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX } from '../../../runtime/base/limits.ts';
import { type Batch, select } from '../../../runtime/data/batch.ts';
import { isNull } from '../../../runtime/data/column.ts';
import type { Schema } from '../../../runtime/data/schema.ts';
import { BIGINT, DOUBLE, INTEGER } from '../../../runtime/data/type.ts';
import type {
  Emit,
  Holding,
  Moment,
  Operator,
  OperatorContext,
  RunRows,
} from '../../../runtime/operators/operator.ts';
import { StreamStreamJoin } from '../../../runtime/operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../../runtime/operators/stream-table-join.ts';
import {
  JOIN_TYPES,
  keyedBy,
  LEFT,
  RIGHT,
  type SideRow,
  rowtimeSteps,
  sideRows,
  streamStreamStep,
  streamTableStep,
  wholeSides,
} from '../../support/join-inputs.ts';
import { streamStreamModel } from '../../support/join-models.ts';
import { keepShortColumns } from '../../support/kept-columns.ts';
import { outputLines } from '../../support/operator-contract.ts';
import { type MakeOperator, OperatorRun } from '../../support/operator-harness.ts';

keepShortColumns();

const OPTIONS = { session: false };

/** The rows of a side that a filter has let through, and their moment. */
class Side implements RunRows, Moment {
  readonly time = { now: 0, seed: '' };
  readonly batch: Batch | null;
  /** By row of the batch the row that came to the filter. */
  readonly #came: readonly number[];
  row = 0;

  constructor(whole: Batch | null, isLet: (row: number) => boolean) {
    const all = Array.from({ length: whole?.length ?? 0 }, (_, row) => row);
    this.#came = all.filter(isLet);
    this.batch = whole && select(whole, Uint32Array.from(this.#came));
  }

  rowsBefore(end: number): number {
    let { row } = this;
    while (row < this.#came.length && (this.#came[row] as number) < end) row++;
    return row;
  }

  /** @throws {Error} when one of these is no row of the moment */
  assertOwn(origins: Iterable<number | null>): void {
    const own = new Set<number | null>(this.batch?.origin);
    for (const origin of origins)
      if (!own.has(origin)) throw new Error(`row ${origin} is of another moment`);
  }
}

/** More than the origins of one moment here. */
const ORIGINS_MAX = 10_000;

/** A moment of rows of both sides. */
class Both implements Moment {
  readonly time = { now: 0, seed: '' };
  readonly #sides: readonly Side[];

  constructor(sides: readonly Side[]) {
    this.#sides = sides;
  }

  /** The batch with each row's own origin. @throws {Error} when one is no row of its moment */
  apart(batch: Batch): Batch {
    const origin = (batch.origin as Uint32Array).map((at) => {
      this.#sides[Math.floor(at / ORIGINS_MAX)]?.assertOwn([at % ORIGINS_MAX]);
      return at % ORIGINS_MAX;
    });
    return { ...batch, origin };
  }
}

/** Rows of which those of each side are one chunk, and what stands behind them: a commit, or a restart. */
interface Piece {
  readonly rows: readonly SideRow[];
  readonly isRestart: boolean;
  /** True: neither, and what comes of it may wait for that of the next piece. */
  readonly isHeld?: boolean;
}

interface Given {
  readonly make: MakeOperator;
  readonly pieces: readonly Piece[];
  readonly tables: readonly boolean[];
  /** Of the sides. */
  readonly inputs?: readonly Schema[];
  /** Row `n` of a side passes where item `n % length` says so. */
  readonly lets: readonly boolean[];
}

let atOnce = 0;
/** Batches with rows of both sides. */
let both = 0;
/** Batches with joined rows and with others, as long as no value is null. */
let mixed = 0;

function isMixed({ length, columns }: Batch): boolean {
  const padded = Array.from({ length }, (_, i) => columns.some((column) => isNull(column, i)));
  return padded.includes(true) && padded.includes(false);
}

/**
 * What is to be seen.
 * @param single so many runs come one by one before the others come in one call
 * @param isTogether rows of both sides may be in one batch
 */
function outcome(
  { make, pieces, tables, lets, inputs }: Given,
  single: number,
  isTogether = false,
): unknown {
  const known: { operator?: Operator; side?: Side } = {};
  const made: MakeOperator = (context) => {
    const report: OperatorContext['report'] = (problem) => {
      known.side?.assertOwn([problem.origin]);
      context.report(problem);
    };
    const holding: Holding = {
      get moment() {
        return known.side as Side;
      },
      emit: (moment: Moment, batch: Batch, out: Emit) => {
        if (moment instanceof Both) {
          both++;
          out(moment.apart(batch));
          return;
        }
        (moment as Side).assertOwn(batch.origin ?? []);
        if (isMixed(batch)) mixed++;
        out(batch);
      },
    };
    if (isTogether)
      holding.together = (moments) => ({
        moment: new Both(moments as readonly Side[]),
        from: moments.map((_, i) => i * ORIGINS_MAX),
      });
    return (known.operator = make({ ...context, report, holding }));
  };
  const run = new OperatorRun(made);
  const out: Emit = (batch) => void run.emitted.push(batch);
  const turnTo = (side: RunRows): void => {
    known.side = side as Side;
  };
  for (const { rows, isRestart, isHeld = false } of pieces) {
    const isLet = (row: number): boolean => lets[row % lets.length] === true;
    const sides = wholeSides(rows, tables, inputs).map((whole) => new Side(whole, isLet));
    const operator = known.operator as Operator;
    const ends = endsOf(rows);
    const input = rows[0]?.side ?? 0;
    for (const [first, end] of ends.entries()) {
      const at = (input + first) & 1;
      const side = sides[at] as Side;
      turnTo(side);
      if (first === single) {
        const both = sides as unknown as readonly [Side, Side];
        const runs = { sides: both, ends: ends.slice(first), at, input: at, turnTo };
        if (operator.processRuns?.(runs, out) === true) {
          atOnce++;
          break;
        }
      }
      const from = side.row;
      side.row = side.rowsBefore(end);
      if (side.batch !== null && side.row > from)
        operator.processRows?.(at, side.batch, from, side.row, out);
    }
    if (isHeld) continue;
    operator.settle?.();
    if (isRestart) run.restart(made);
    else run.commit();
  }
  const { problems, streamTimeMs } = run;
  const counters = Object.fromEntries(run.counters);
  return { rows: outputLines(run), state: run.state.lines(), problems, counters, streamTimeMs };
}

/** Behind which of its side's rows each run ends. */
function endsOf(rows: readonly SideRow[]): Uint32Array {
  const seen = [0, 0];
  const ends = rows.flatMap(({ side }, at) => {
    seen[side] = (seen[side] ?? 0) + 1;
    return rows[at + 1]?.side === side ? [] : [seen[side] ?? 0];
  });
  return Uint32Array.from(ends);
}

function testJoin(
  name: string,
  make: MakeOperator,
  tables: readonly boolean[],
  inputs: readonly Schema[] = [LEFT, RIGHT],
): void {
  test(`runs taken at once give what they give one by one: ${name}`, () => {
    const piece = fc.record({
      rows: sideRows({ steps: rowtimeSteps, tables }),
      isRestart: fc.boolean(),
    });
    const property = fc.property(
      fc.record({
        make: fc.constant(make),
        pieces: fc.array(piece, { minLength: 1, maxLength: 4 }),
        tables: fc.constant(tables),
        inputs: fc.constant(inputs),
        lets: fc.oneof(fc.constant([true]), fc.array(fc.boolean(), { minLength: 2, maxLength: 5 })),
      }),
      fc.nat({ max: 2 }),
      (given, single) => {
        const expected = outcome(given, Infinity);
        expect(outcome(given, single)).toEqual(expected);
        expect(outcome(given, single, true)).toEqual(expected);
      },
    );
    atOnce = 0;
    both = 0;
    fc.assert(property, { numRuns: 200 });
    expect(atOnce).toBeGreaterThan(100);
    // Rows of a table make none.
    expect(both > 10).toBe(!tables.includes(true));
  });
}

for (const type of JOIN_TYPES) {
  const times = { beforeMs: 9, afterMs: 4, graceMs: null };
  const step = streamStreamStep(type, times);
  testJoin(
    `${type} of streams`,
    (context) => new StreamStreamJoin(step, [LEFT, RIGHT], context, OPTIONS),
    [false, false],
  );
}

for (const type of JOIN_TYPES) {
  // Rows come late, partners are forgotten, and rows without one wait for the end of their windows.
  const step = streamStreamStep(type, { beforeMs: 6, afterMs: 6, graceMs: 2 });
  testJoin(
    `${type} of streams, with a short grace`,
    (context) => new StreamStreamJoin(step, [LEFT, RIGHT], context, OPTIONS),
    [false, false],
  );
}

for (const type of ['INNER', 'LEFT'] as const)
  testJoin(
    `${type} of a stream with a table`,
    (context) => new StreamTableJoin(streamTableStep(type), [LEFT, RIGHT], context, OPTIONS),
    [false, true],
  );

for (const type of [INTEGER, BIGINT, DOUBLE]) {
  const inputs = [keyedBy(type, LEFT), keyedBy(type, RIGHT)] as const;
  const keyed = <S extends { readonly schema: Schema }>(step: S): S => ({
    ...step,
    schema: keyedBy(type, step.schema),
  });
  const name = `with keys of type ${type.kind}`;
  testJoin(
    `LEFT of a stream with a table, ${name}`,
    (context) => new StreamTableJoin(keyed(streamTableStep('LEFT')), inputs, context, OPTIONS),
    [false, true],
    inputs,
  );
  const times = { beforeMs: 6, afterMs: 6, graceMs: 2 };
  testJoin(
    `FULL of streams, ${name}`,
    (context) =>
      new StreamStreamJoin(keyed(streamStreamStep('FULL', times)), inputs, context, OPTIONS),
    [false, false],
    inputs,
  );
}

test.each(['INNER', 'LEFT'] as const)('%s: more rows than a batch may have are several', (type) => {
  const tables = [false, true];
  const count = BATCH_ROWS_MAX - 1000;
  // Each third one finds nothing.
  const lefts = (first: number): SideRow[] =>
    Array.from({ length: count }, (_, i) => ({
      side: 0,
      key: i % 3 === 0 ? 'b' : 'a',
      value: [first + i, 'x'],
      ms: first + i,
    }));
  // An even number, or they are kept as bytes.
  const rights = (ms: number): SideRow[] =>
    ['a', 'ab'].map((key) => ({ side: 1, key, value: [7n], ms }));
  const given: Given = {
    make: (context) => new StreamTableJoin(streamTableStep(type), [LEFT, RIGHT], context, OPTIONS),
    pieces: [
      { rows: [...rights(1000), ...lefts(1000)], isRestart: false, isHeld: true },
      { rows: [...rights(9000), ...lefts(9000)], isRestart: false },
    ],
    tables,
    lets: [true],
  };
  const expected = outcome(given, Infinity) as { readonly rows: readonly string[] };
  atOnce = 0;
  expect(outcome(given, 0, true)).toEqual(expected);
  expect(atOnce).toBe(2);
  const each = type === 'LEFT' ? count : count - Math.ceil(count / 3);
  expect(expected.rows).toHaveLength(2 * each);
});

test('rows that have waited go out in the order of their keys, which are numbers', () => {
  const inputs = [keyedBy(BIGINT, LEFT), keyedBy(BIGINT, RIGHT)] as const;
  const step = streamStreamStep('LEFT', { beforeMs: 6, afterMs: 6, graceMs: 2 });
  const keyed = { ...step, schema: keyedBy(BIGINT, step.schema) };
  const rows = ['ab', 'a', 'b', 'a'].map((key, i): SideRow => {
    return { side: 0, key, value: [i, 'x'], ms: i === 3 ? 2000 : 1000 };
  });
  const given: Given = {
    make: (context) => new StreamStreamJoin(keyed, inputs, context, OPTIONS),
    pieces: [{ rows, isRestart: false }],
    tables: [false, false],
    lets: [true],
    inputs,
  };
  const made = outcome(given, Infinity) as { readonly rows: readonly string[] };
  expect(made.rows.map((row) => row.split(' ')[0])).toEqual(['-1', '0', '4294967296']);
});

const NO_NULLS = [[1, 'x'], [2n]] as const;

test.each(['LEFT', 'RIGHT', 'FULL'] as const)(
  'rows that have waited go out among joined ones as the model has them: %s',
  (type) => {
    const streams = [false, false];
    const step = streamStreamStep(type, { beforeMs: 6, afterMs: 6, graceMs: 2 });
    const property = fc.property(sideRows({ steps: rowtimeSteps, tables: streams }), (made) => {
      const rows = made.map((row) => {
        const value = row.value?.map((cell, i) => cell ?? NO_NULLS[row.side]?.[i] ?? null) ?? null;
        return { ...row, value };
      });
      const one = outcome(
        {
          make: (context) => new StreamStreamJoin(step, [LEFT, RIGHT], context, OPTIONS),
          pieces: [{ rows, isRestart: false }],
          tables: streams,
          lets: [true],
        },
        Infinity,
      );
      expect(one).toMatchObject({ rows: streamStreamModel(step, rows) });
    });
    mixed = 0;
    fc.assert(property, { numRuns: 200 });
    expect(mixed).toBeGreaterThan(3);
  },
);
