// The ways to accumulate a call are the same function: results, undo and state bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../runtime/data/batch.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { BOOLEAN, type Type, type Value } from '../../../runtime/data/type.ts';
import { bodyOfCall } from '../../../runtime/functions/aggregate-call.ts';
import type { Accumulators, Fold } from '../../../runtime/state/accumulators.ts';
import {
  BodyCells,
  type CallCells,
  type GenericCall,
  type RowContext,
  TypedCells,
} from '../../../runtime/state/call-cells.ts';
import { GenericAccumulators } from '../../../runtime/state/generic-accumulators.ts';
import { PickedCells } from '../../../runtime/state/picked-cells.ts';
import { typedAccumulators } from '../../../runtime/state/typed-accumulators.ts';
import { foldedInTurns, foldTurns } from '../../support/fold-turns.ts';
import { callOf, registry, streamArbitrary } from '../../support/operator-inputs.ts';

const INPUT = prettySchema('I:INTEGER | L:BIGINT | D:DOUBLE | T:STRING @rowtime');
const undoable = [
  callOf('COUNT', INPUT),
  callOf('COUNT', INPUT, 3),
  ...['COUNT', 'SUM', 'AVG'].flatMap((name) => [0, 1, 2].map((at) => callOf(name, INPUT, at))),
];
const all = [
  ...undoable,
  ...['MIN', 'MAX'].flatMap((name) => [0, 1, 2].map((at) => callOf(name, INPUT, at))),
];

const rows: RowContext = {
  offset: (_batch, position) => 100 + position,
  failed: () => expect.unreachable(),
};

function genericCall(call: (typeof all)[number]): GenericCall {
  const types = call.arguments.map((at) => INPUT.columns[at]?.type as Type);
  const body = bodyOfCall(call, types, registry);
  return { body, arguments: call.arguments, type: call.type };
}

/** Each call with cells of its own: the body's way, or another one. */
function generic(
  calls: typeof all,
  cellsOf: (call: GenericCall, index: number) => CallCells = (call, index) =>
    new BodyCells(call, index, rows),
): Accumulators {
  return new GenericAccumulators(
    calls.map((call, index) => {
      const made = genericCall(call);
      return { cells: cellsOf(made, index), types: made.body.cells };
    }),
  );
}

/** As beside calls that have no typed way. */
function typedOneByOne(calls: typeof all): Accumulators {
  return generic(calls, ({ body }, index) => {
    const one = typedAccumulators([calls[index] as (typeof all)[number]], INPUT);
    if (one === null) throw new Error('the call has a typed way');
    return new TypedCells(one, body.cells);
  });
}

function picked(calls: typeof all): Accumulators {
  return generic(calls, (call) => {
    if (call.body.picks === undefined) throw new Error('the call picks a row');
    return new PickedCells(call, call.body.picks, rows);
  });
}

function typed(calls: typeof all): Accumulators {
  const made = typedAccumulators(calls, INPUT);
  if (made === null) throw new Error('every call has a typed way');
  return made;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Folds all rows into three slots; results and the bytes of each slot afterwards. */
function folded(
  to: Accumulators,
  batch: Batch,
  undo: boolean,
): { rows: Value[][]; slots: string[] } {
  const count = batch.length;
  to.reserve(3);
  for (let slot = 0; slot < 3; slot++) to.reset(slot);
  const positions = Uint32Array.from({ length: count }, (_, i) => i);
  const slots = Int32Array.from({ length: count }, (_, i) => i % 3);
  // Every row is added; with undo, each is taken back again in a second round.
  const fold = (taken: boolean): Fold => ({
    count,
    slots,
    positions,
    undo: taken ? new Uint8Array(count).fill(1) : null,
    after: taken ? Int32Array.from(positions) : null,
    before: null,
    rowsOut: count,
  });
  const rows: Value[][] = [];
  for (const taken of undo ? [false, true] : [false]) {
    to.foldRowtimes(batch, fold(taken));
    const columns = to.fold(batch, fold(taken));
    for (let i = 0; i < count; i++) rows.push(columns.map((column) => valueAt(column, i)));
  }
  return { rows, slots: [0, 1, 2].map((slot) => hex(to.encode(slot))) };
}

const batches = streamArbitrary(INPUT);

test('results and state bytes agree to the last bit', () => {
  fc.assert(
    fc.property(batches, ([batch]) => {
      if (batch === undefined) return;
      const expected = folded(generic(all), batch, false);
      expect(folded(typed(all), batch, false)).toEqual(expected);
      expect(folded(typedOneByOne(all), batch, false)).toEqual(expected);
    }),
  );
});

test('taking back agrees to the last bit', () => {
  fc.assert(
    fc.property(batches, ([batch]) => {
      if (batch === undefined) return;
      const expected = folded(generic(undoable), batch, true);
      expect(folded(typed(undoable), batch, true)).toEqual(expected);
      expect(folded(typedOneByOne(undoable), batch, true)).toEqual(expected);
    }),
  );
});

test('what is loaded from state bytes encodes to the same bytes, on either side', () => {
  fc.assert(
    fc.property(batches, ([batch]) => {
      if (batch === undefined) return;
      const { slots } = folded(typed(all), batch, false);
      for (const into of [typed(all), generic(all), typedOneByOne(all)]) {
        into.reserve(1);
        for (const slot of slots) {
          into.load(0, Buffer.from(slot, 'hex'));
          expect(hex(into.encode(0))).toBe(slot);
        }
      }
    }),
  );
});

test('bytes of another length are corrupt, not guessed', () => {
  for (const into of [typed(all), generic(all)]) {
    into.reserve(1);
    expect(() => into.load(0, new Uint8Array(24))).toThrow(
      expect.objectContaining({ name: 'TaskCorrupted' }),
    );
  }
});

test('more cells than the present bits hold go the general way', () => {
  const many = Array.from({ length: 33 }, () => callOf('AVG', INPUT, 0));
  expect(typedAccumulators(many.slice(0, 32), INPUT)).not.toBe(null);
  expect(typedAccumulators(many, INPUT)).toBe(null);
});

/** The call with its argument `ignoreNulls` said. */
function withNulls(call: (typeof all)[number], ignoreNulls: boolean): (typeof all)[number] {
  const types = [INPUT.columns[call.arguments[0] as number]?.type as Type, BOOLEAN];
  const signature = registry.resolve(call.function, types)?.signature as string;
  return { ...call, signature, constants: [{ value: ignoreNulls, type: BOOLEAN }] };
}

const picking = ['EARLIEST_BY_OFFSET', 'LATEST_BY_OFFSET'].flatMap((name) =>
  [0, 1, 2, 3].flatMap((at) => {
    const call = callOf(name, INPUT, at);
    return [call, withNulls(call, true), withNulls(call, false)];
  }),
);

test('a picked row is what the body picks, over batches, with old rows, moved and restored', () => {
  fc.assert(
    fc.property(batches, foldTurns, (given, chosen) => {
      const expected = foldedInTurns(generic(picking), given, chosen);
      expect(foldedInTurns(picked(picking), given, chosen)).toEqual(expected);
    }),
  );
});
