// The kernel against the naive model on random programs and rows; knows no bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { OTHER_FUNCTIONS } from '../../../runtime/kernel/other-functions.ts';
import type { ArgumentType, KernelProgram } from '../../../runtime/kernel/program.ts';
import { draws } from '../../support/draws.ts';
import { kernelModule } from '../../support/kernel-module.ts';
import { coalesced, Model, type Cell, type ModelRow } from './model.ts';
import { Subject } from './subject.ts';

const doubles = fc.oneof(
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 0.1, -0.1, 5e-324, Number.MAX_VALUE),
  fc.double(),
);
const longs = fc.oneof(
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 0n, -1n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const ints = fc.oneof(fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0, -1), fc.integer());

const cellOf: Readonly<Record<ArgumentType, fc.Arbitrary<Cell>>> = {
  I32: ints,
  I64: longs,
  F64: doubles,
};
const FUNCTIONS = ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'];
const WHOLE_FUNCTIONS = [...FUNCTIONS, ...Object.keys(OTHER_FUNCTIONS)];

const keys = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'c',
      '',
      'ab',
      '__proto__',
      'longer than sixteen bytes',
      'é',
    ),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }).map((n) => `key ${n}`) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const programs: fc.Arbitrary<KernelProgram> = fc
  .tuple(
    fc.array(fc.constantFrom('I32' as const, 'I64' as const, 'F64' as const), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.constantFrom(FUNCTIONS, WHOLE_FUNCTIONS, WHOLE_FUNCTIONS).chain((names) =>
      fc.array(fc.tuple(fc.constantFrom('*', ...names), fc.nat()), {
        minLength: 1,
        maxLength: 8,
      }),
    ),
    fc.option(
      fc
        .tuple(
          fc.constantFrom(1, 7, 10, 100),
          fc.constantFrom(1, 1, 2, 3, 7),
          fc.constantFrom(0, 3, 25),
        )
        .map(([sizeMs, hops, graceMs]) => ({
          sizeMs,
          advanceMs: Math.ceil(sizeMs / hops),
          graceMs,
        })),
      { freq: 3 },
    ),
    fc.constantFrom('rows' as const, 'groups' as const),
  )
  .map(([types, calls, window, output]) => ({
    arguments: types,
    aggregates: calls.map(([name, at]) =>
      name === '*'
        ? { function: 'COUNT' as const, argument: null }
        : { function: name, argument: at % types.length },
    ),
    window,
    output,
  }));

function rowsOf(
  program: KernelProgram,
  { hasNulls, isMixed }: Readonly<Record<'hasNulls' | 'isMixed', boolean>>,
): fc.Arbitrary<ModelRow[]> {
  const cells = program.arguments.map((type): fc.Arbitrary<Cell> =>
    hasNulls ? fc.option(cellOf[type], { freq: 4 }) : cellOf[type],
  );
  const rare = isMixed ? 9 : 1;
  // Time mostly stands or steps on, so that long spans of a batch lie in one window; now and then, or often, a row comes from behind.
  const row = fc.record({
    key: keys,
    step: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(12) }),
    back: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: rare, arbitrary: fc.nat(isMixed ? 30 : 40) },
    ),
    values: fc.tuple(...cells),
    skipped: fc.boolean(),
  });
  return fc.array(row, { maxLength: 200, size: 'max' }).map((rows) => {
    let now = 0;
    return rows.map(({ step, back, ...rest }) => {
      now += step;
      return { ...rest, rowtime: Math.max(0, now - back) };
    });
  });
}

const whole = kernelModule();
const half = kernelModule('aggregates');

const kinds = fc.record({ hasNulls: fc.boolean(), isMixed: fc.boolean() });

const runs = fc.tuple(programs, kinds).chain(([program, kind]) =>
  fc.record({
    program: fc.constant(program),
    rows: rowsOf(program, kind),
    selects: fc.boolean(),
    // What pages load has other loops than the whole kernel.
    module: fc.constantFrom(whole, whole, half),
    // Many known keys of which few are used make panes hash instead of having a place for each id.
    strangers: fc.constantFrom(0, 0, 2000),
    cuts: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10, size: 'max' }),
    restarts: fc.array(fc.boolean(), { minLength: 1, maxLength: 7, size: 'max' }),
  }),
);

test('any cut, with restarts and expiry between any two batches, gives what the model gives', () => {
  fc.assert(
    fc.property(runs, ({ program, rows: all, selects, module, strangers, cuts, restarts }) => {
      const rows = selects ? all : all.map((row) => ({ ...row, skipped: false }));
      const model = new Model(program);
      const isPlain = program.aggregates.every(({ function: name }) => !(name in OTHER_FUNCTIONS));
      const made = isPlain ? module : whole;
      let subject = new Subject(program, {}, made);
      subject.know(strangers);
      const store = new Map<string, { key: string; windowStart: number; state: Uint8Array }>();
      const late: [number, number][] = [];
      let from = 0;
      for (let batch = 0; from < rows.length; batch += 1) {
        const part = rows.slice(from, from + (cuts[batch % cuts.length] ?? 1));
        const before = model.late.length;
        const expected = model
          .process(part)
          .map((output) => ({ ...output, row: from + (output.row ?? 0) }));
        for (const [row, missed] of model.late.slice(before)) late.push([from + row, missed]);
        const actual = subject.process(part, from);
        expect(actual).toEqual(program.output === 'rows' ? expected : coalesced(expected));
        expect(subject.late).toEqual(late);
        expect(subject.kernel.streamTime).toBe(model.streamTime);
        from += part.length;
        if (restarts[batch % restarts.length] === true) {
          for (const [name, change] of subject.changes()) store.set(name, change);
          const next = new Subject(program, { seed: batch }, made);
          next.know(strangers);
          next.restore([...store.values()].reverse());
          next.kernel.advanceStreamTime(subject.kernel.streamTime);
          next.late.push(...subject.late);
          subject = next;
        } else if (batch % 3 === 0) {
          for (const [name, change] of subject.changes()) store.set(name, change);
          subject.kernel.expire();
        }
      }
      for (const [name, change] of subject.changes()) store.set(name, change);
      expect([...store.keys()].sort()).toEqual([...model.groups.keys()].sort());
      // What was put into the store is the whole table: a fresh instance goes on from it where the model stands.
      const open = program.window === null ? null : { ...program.window, graceMs: 1_000_000 };
      const reader = new Subject({ ...program, window: open }, { seed: 7 }, made);
      reader.restore(store.values());
      const later = new Model({ ...program, window: open });
      for (const [name, group] of model.groups) later.groups.set(name, group);
      const nulls = program.arguments.map(() => null);
      const probes = [...model.groups.values()].map(({ key, windowStart }) => ({
        key,
        rowtime: windowStart,
        values: nulls,
      }));
      for (let at = 0; at < probes.length; at += 64) {
        const part = probes.slice(at, at + 64);
        const expected = later.process(part);
        expect(reader.process(part)).toEqual(
          program.output === 'rows' ? expected : coalesced(expected),
        );
      }
    }),
    { numRuns: 400 },
  );
});

test('panes that grow from a few groups to a place for each of 70,000 ids lose and mix up nothing', () => {
  const program: KernelProgram = {
    arguments: ['I32'],
    aggregates: [
      { function: 'COUNT', argument: null },
      { function: 'SUM', argument: 0 },
    ],
    window: { sizeMs: 100, advanceMs: 100, graceMs: 1000 },
    output: 'groups',
  };
  const subject = new Subject(program, { rowsMax: 4096 });
  subject.know(70_000);
  const draw = draws(1);
  const expected = new Map<string, [number, number]>();
  const rows = 4096;
  for (let batch = 0; batch < 60; batch += 1) {
    const ids = Uint32Array.from({ length: rows }, () => draw(batch < 10 ? 50 : 70_000));
    const rowtime = Float64Array.from({ length: rows }, () => batch + (draw(4096) === 0 ? 100 : 0));
    const values = Int32Array.from({ length: rows }, () => draw(100));
    for (let i = 0; i < rows; i += 1) {
      const name = `${Math.floor((rowtime[i] ?? 0) / 100) * 100}/${ids[i]}`;
      const [count, sum] = expected.get(name) ?? [0, 0];
      expected.set(name, [count + 1, sum + (values[i] ?? 0)]);
    }
    const output = subject.kernel.process({
      length: rows,
      selection: null,
      ids,
      rowtime,
      arguments: [{ values, validity: null }],
    });
    expect(output.refused).toBeNull();
  }
  const actual = new Map<string, [number, number]>();
  subject.kernel.collectChanges(({ id, windowStart, state }) => {
    const view = new DataView(state.buffer, state.byteOffset);
    actual.set(`${windowStart}/${id}`, [
      Number(view.getBigInt64(16, true)),
      Number(view.getBigInt64(24, true)),
    ]);
  });
  expect(actual).toEqual(expected);
});
