// TOPK, TOPKDISTINCT and COUNT_DISTINCT in cells of their own, alone and beside other calls: results and state bytes are those of their bodies.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BATCH_ROWS_MAX, GROUP_VALUES_MAX, TEXT_LENGTH_MAX } from '../../../runtime/base/limits.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import type { Column } from '../../../runtime/data/column.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { TextFamily } from '../../../runtime/data/text-family.ts';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { INTEGER, type Type, type Value } from '../../../runtime/data/type.ts';
import { bodyOfCall } from '../../../runtime/functions/aggregate-call.ts';
import type { AggregateCall } from '../../../runtime/plan/step.ts';
import type { Accumulators, Fold } from '../../../runtime/state/accumulators.ts';
import { BodyCells, type GenericCall, type RowContext } from '../../../runtime/state/call-cells.ts';
import { GenericAccumulators } from '../../../runtime/state/generic-accumulators.ts';
import { wideAccumulators } from '../../../runtime/state/wide-accumulators.ts';
import { batchesOf } from '../../support/operator-contract.ts';
import { foldedInTurns, foldTurns } from '../../support/fold-turns.ts';
import { callOf, registry, streamArbitrary } from '../../support/operator-inputs.ts';

const INPUT = prettySchema('I:INTEGER | L:BIGINT | D:DOUBLE | T:STRING | B:BOOLEAN @rowtime');
const NUMBERS = [0, 1, 2];
const EVERY = [0, 1, 2, 3, 4];

const failures: string[] = [];
const rows: RowContext = {
  offset: (_batch, position) => 100 + position,
  failed: (_batch, position, call, reason) => failures.push(`${position} ${call} ${reason}`),
};

/** TOPK or TOPKDISTINCT of the k greatest. */
function topOf(name: string, k: number, position: number): AggregateCall {
  const { type } = INPUT.columns[position] as { type: Type };
  const resolved = registry.resolve(name, [type, INTEGER]);
  if (resolved === null) throw new Error(`no ${name} of ${type.kind}`);
  return {
    function: name,
    signature: resolved.signature,
    arguments: [position],
    constants: [{ value: k, type: INTEGER }],
    type: resolved.type,
  };
}

const tops = [1, 2, 3, GROUP_VALUES_MAX].flatMap((k) =>
  ['TOPK', 'TOPKDISTINCT'].flatMap((name) => [...NUMBERS, 3].map((at) => topOf(name, k, at))),
);
const distincts = EVERY.map((at) => callOf('COUNT_DISTINCT', INPUT, at));
/** Cells of every kind between theirs, more than 64 of them. */
const mixed = [
  ...tops.slice(0, 12),
  ...['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'].flatMap((name) =>
    NUMBERS.map((at) => callOf(name, INPUT, at)),
  ),
  ...distincts,
  ...['EARLIEST_BY_OFFSET', 'COLLECT_LIST', 'MAX'].map((name) => callOf(name, INPUT, 3)),
  ...['SUM', 'AVG', 'MIN', 'MAX'].flatMap((name) => NUMBERS.map((at) => callOf(name, INPUT, at))),
  ...tops.slice(12),
  callOf('COUNT', INPUT),
];

function genericCalls(calls: readonly AggregateCall[]): GenericCall[] {
  return calls.map((call) => {
    const types = call.arguments.map((at) => INPUT.columns[at]?.type as Type);
    return { body: bodyOfCall(call, types, registry), arguments: call.arguments, type: call.type };
  });
}

function byBodies(calls: readonly AggregateCall[]): Accumulators {
  return new GenericAccumulators(
    genericCalls(calls).map((call, index) => ({
      cells: new BodyCells(call, index, rows),
      types: call.body.cells,
    })),
  );
}

function wide(calls: readonly AggregateCall[]): Accumulators {
  return wideAccumulators({
    step: { calls },
    input: INPUT,
    calls: genericCalls(calls),
    rows,
    cellsOf: (call, index) => new BodyCells(call, index, rows),
  });
}

const batches = streamArbitrary(INPUT);

test.each([
  ['TOPK and TOPKDISTINCT', tops],
  ['COUNT_DISTINCT', distincts],
  ['with other calls', mixed],
])(
  '%s: over batches, with old rows, moved and restored, they are what the bodies make',
  (_, calls) => {
    fc.assert(
      fc.property(batches, foldTurns, (given, chosen) => {
        const expected = foldedInTurns(byBodies(calls), given, chosen);
        expect(foldedInTurns(wide(calls), given, chosen)).toEqual(expected);
      }),
    );
  },
);

/** Folds all rows of a batch into slot 0; the last results. */
function fold(to: Accumulators, batch: Batch): Value[] {
  const all = foldOf(0, batch.length);
  to.foldRowtimes(batch, all);
  return to.fold(batch, all).map((column) => valueAt(column, batch.length - 1));
}

/** Batches of so many rows, all values of which are made of a number. */
function* numbered(from: number, to: number): Generator<Batch> {
  for (let at = from; at < to; at += BATCH_ROWS_MAX) {
    const length = Math.min(BATCH_ROWS_MAX, to - at);
    const made = Array.from({ length }, (_, i) => {
      const n = ((at + i) * 7919) % 100_003;
      return { values: [n, BigInt(n) << 20n, n / 8, `text ${n}`, n % 2 === 0], rowtime: n };
    });
    yield* batchesOf(INPUT, made);
  }
}

test('a state that one way has made goes on in the other, sparse and dense', () => {
  const calls = [...distincts, ...NUMBERS.map((at) => topOf('TOPK', 200, at))];
  const own = wide(calls);
  const bodies = byBodies(calls);
  own.reserve(2);
  bodies.reserve(1);
  own.reset(0);
  bodies.reset(0);
  // Arrays of their own hold 2,048 entries, the sparse form 5,461.
  const ends = [0, 100, 1900, 2300, 5000, 6500, 9000, 12_500, 20_000];
  for (const [i, to] of ends.slice(1).entries()) {
    for (const batch of numbered(ends[i] as number, to))
      expect(fold(own, batch)).toEqual(fold(bodies, batch));
    const bytes = bodies.encode(0);
    expect(Buffer.compare(own.encode(0), bytes)).toBe(0);
    own.reset(1);
    own.move(0, 1);
    own.load(0, bytes);
    bodies.load(0, own.encode(1));
    expect(Buffer.compare(own.encode(0), bytes)).toBe(0);
    expect(Buffer.compare(bodies.encode(0), bytes)).toBe(0);
  }
  const [distinct] = fold(own, [...numbered(0, 1)][0] as Batch);
  expect(Math.abs(Number(distinct) - 20_000)).toBeLessThan(400);
});

test('of more than the most values the least are let go', () => {
  const own = wide([
    topOf('TOPK', GROUP_VALUES_MAX, 0),
    topOf('TOPKDISTINCT', GROUP_VALUES_MAX, 1),
  ]);
  own.reserve(1);
  own.reset(0);
  let results: Value[] = [];
  for (const batch of numbered(0, GROUP_VALUES_MAX + 100)) results = fold(own, batch);
  const all = Array.from({ length: GROUP_VALUES_MAX + 100 }, (_, n) => (n * 7919) % 100_003);
  const greatest = all.sort((a, b) => b - a).slice(0, GROUP_VALUES_MAX);
  expect(results).toEqual([greatest, greatest.map((n) => BigInt(n) << 20n)]);
});

test('every NaN is the same value, whatever its bits', () => {
  const calls = [callOf('COUNT_DISTINCT', INPUT, 2), topOf('TOPKDISTINCT', 3, 2)];
  const [own, bodies] = [wide(calls), byBodies(calls)].map((to) => {
    to.reserve(1);
    to.reset(0);
    const bits = [0x7ff8_0000_0000_0000n, 0xfff8_0000_0000_0001n, 0x7ff4_0000_dead_beefn, 0n];
    const [batch] = [...numbered(0, bits.length)] as [Batch];
    const values = new Float64Array(BigUint64Array.from(bits).buffer);
    const columns = batch.columns.map((column, i) => (i === 2 ? { ...column, values } : column));
    const results = fold(to, { ...batch, columns: columns as Column[] });
    return { results, state: Buffer.from(to.encode(0)).toString('hex') };
  });
  expect(own).toEqual(bodies);
  expect(own?.results).toEqual([2n, [NaN, 0]]);
});

test('slots that are reset begin anew in blocks that others have had', () => {
  const calls = [callOf('COUNT_DISTINCT', INPUT, 0)];
  const own = wide(calls);
  own.reserve(3);
  for (let round = 0; round < 40; round++) {
    const bodies = byBodies(calls);
    bodies.reserve(3);
    const sizes = [round * 13, 40 - round, 3000];
    sizes.forEach((size, slot) => {
      own.reset(slot);
      bodies.reset(slot);
      for (const batch of numbered(round, round + size)) {
        for (const to of [own, bodies]) to.fold(batch, foldOf(slot, batch.length));
      }
    });
    for (const slot of [0, 1, 2]) {
      own.foldRowtimes([...numbered(0, 1)][0] as Batch, foldOf(slot));
      bodies.foldRowtimes([...numbered(0, 1)][0] as Batch, foldOf(slot));
      expect(Buffer.compare(own.encode(slot), bodies.encode(slot))).toBe(0);
    }
  }
});

/** All of the first rows of a batch into one slot, a result for each. */
function foldOf(slot: number, count = 1): Fold {
  const slots = new Int32Array(count).fill(slot);
  const positions = Uint32Array.from({ length: count }, (_, i) => i);
  return { count, slots, positions, undo: null, after: null, before: null, rowsOut: count };
}

/** A batch whose text column is one of a family's dictionaries. */
function ofFamily(family: TextFamily, numbers: readonly number[], codes: readonly number[]): Batch {
  const [batch] = batchesOf(
    INPUT,
    codes.map((code) => ({ values: [code, 0n, 0, 'x', true], rowtime: code })),
  );
  const { columns, ...rest } = batch as Batch;
  const own = Uint32Array.from(numbers);
  const texts = family.gathered(own);
  const dictionary = {
    bytes: texts.bytes,
    offsets: texts.offsets,
    size: texts.size,
    known: { family, numbers: own },
    utf8: (code: number) => texts.utf8(code),
    text: (code: number) => texts.text(code),
  };
  const values = Uint32Array.from(codes);
  const text: Column = {
    type: INPUT.columns[3]?.type as Type,
    validity: null,
    storage: 'dictionary',
    values,
    dictionary,
  };
  return { ...rest, columns: columns.map((column, i) => (i === 3 ? text : column)) };
}

test('texts of a family are known by number from chunk to chunk, and those of another family are not', () => {
  const calls = [callOf('COUNT_DISTINCT', INPUT, 3)];
  const own = wide(calls);
  const bodies = byBodies(calls);
  for (const to of [own, bodies]) {
    to.reserve(1);
    to.reset(0);
  }
  for (const prefix of ['a', 'b', 'a']) {
    const family = new TextFamily(0);
    for (const size of [3, 400]) {
      const texts = Array.from({ length: size }, (_, i) => `${prefix}${i}`);
      const ends = texts.map((_, i) => encodeUtf8(texts.slice(0, i + 1).join('')).length);
      family.extend(encodeUtf8(texts.join('')), Uint32Array.from(ends));
      const numbers = size === 3 ? [2, 0] : [399, 0, 17, 2];
      const codes = numbers.map((_, i) => i);
      const batch = ofFamily(family, numbers, [...codes, ...codes]);
      expect(fold(own, batch)).toEqual(fold(bodies, batch));
      expect(Buffer.compare(own.encode(0), bodies.encode(0))).toBe(0);
    }
  }
});

test('a value that is too long beside the state counts nothing, and is told, either way', () => {
  const calls = [callOf('COUNT_DISTINCT', INPUT, 3), callOf('COUNT', INPUT, 3)];
  const seen = [wide(calls), byBodies(calls)].map((to) => {
    failures.length = 0;
    to.reserve(1);
    to.reset(0);
    for (const batch of numbered(0, 9000)) fold(to, batch);
    const results = [10, 2000, TEXT_LENGTH_MAX - 17_000, TEXT_LENGTH_MAX - 10_000].map((length) => {
      const values = [0, 0n, 0, 'x'.repeat(length), true];
      return fold(to, batchesOf(INPUT, [{ values, rowtime: 1 }])[0] as Batch);
    });
    return { results, failed: [...failures], state: Buffer.from(to.encode(0)).toString('hex') };
  });
  expect(seen[0]).toEqual(seen[1]);
  expect(seen[0]?.failed).toHaveLength(1);
});
