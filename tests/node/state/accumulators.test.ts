// Typed and generic accumulators are the same function: results, undo and state bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../runtime/data/batch.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import type { Type, Value } from '../../../runtime/data/type.ts';
import { bodyOfCall } from '../../../runtime/functions/aggregate-call.ts';
import type { Accumulators, Fold } from '../../../runtime/state/accumulators.ts';
import { GenericAccumulators } from '../../../runtime/state/generic-accumulators.ts';
import { typedAccumulators } from '../../../runtime/state/typed-accumulators.ts';
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

function generic(calls: typeof all): Accumulators {
  return new GenericAccumulators(
    calls.map((call) => {
      const types = call.arguments.map((at) => INPUT.columns[at]?.type as Type);
      const body = bodyOfCall(call, types, registry);
      return { body, arguments: call.arguments, type: call.type };
    }),
    { offset: (_batch, position) => position, failed: () => expect.unreachable() },
  );
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
      expect(folded(typed(all), batch, false)).toEqual(folded(generic(all), batch, false));
    }),
  );
});

test('taking back agrees to the last bit', () => {
  fc.assert(
    fc.property(batches, ([batch]) => {
      if (batch === undefined) return;
      expect(folded(typed(undoable), batch, true)).toEqual(folded(generic(undoable), batch, true));
    }),
  );
});

test('what is loaded from state bytes encodes to the same bytes, on either side', () => {
  fc.assert(
    fc.property(batches, ([batch]) => {
      if (batch === undefined) return;
      const { slots } = folded(typed(all), batch, false);
      for (const into of [typed(all), generic(all)]) {
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
