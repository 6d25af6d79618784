// What the kernel does at its limits and with arguments that make no sense; knows no results.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { InvariantError, LimitError, TaskCorrupted } from '../../../runtime/base/errors.ts';
import { KERNEL_CELLS_MAX } from '../../../runtime/base/limits.ts';
import { BUFFER_CONFIG, CONFIG_BYTES, RESULT_EMITTED } from '../../../runtime/kernel/abi.ts';
import { instantiate, type KernelExports } from '../../../runtime/kernel/exports.ts';
import { collectAll, kernelStats } from '../../../runtime/kernel/groups.ts';
import { Kernel } from '../../../runtime/kernel/instance.ts';
import { OTHER_FUNCTIONS } from '../../../runtime/kernel/other-functions.ts';
import { writeProgram, type KernelProgram } from '../../../runtime/kernel/program.ts';
import { kernelModule as pagesKernel } from '../../support/kernel-module.ts';
import { keysOf, kernelModule, program, Subject } from './subject.ts';

/** With what only whole kernels have. */
const wholeProgram: KernelProgram = {
  ...program,
  arguments: ['F64', 'I64', 'I32'],
  aggregates: Object.keys(OTHER_FUNCTIONS).flatMap((name) =>
    [0, 1, 2].map((argument) => ({ function: name, argument })),
  ),
  functions: OTHER_FUNCTIONS,
};

/** Over a table. */
const tableProgram: KernelProgram = {
  arguments: ['F64', 'I64', 'I32'],
  aggregates: ['COUNT', 'SUM', 'AVG'].flatMap((name) =>
    [null, 0, 1, 2].flatMap((argument) =>
      argument === null && name !== 'COUNT' ? [] : [{ function: name, argument }],
    ),
  ),
  window: null,
  output: 'changes',
};

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

test('a dictionary takes as many keys as its limit, refuses the next one, and goes on with the known ones', () => {
  const { kernel } = new Subject(program, { entriesMax: 5000, rowsMax: 4096 });
  const names = range(0, 5001).map((i) => `key ${i}`);
  kernel.intern(keysOf(names.slice(0, 4096)));
  expect([...kernel.intern(keysOf(names.slice(4096, 5000)))].at(-1)).toBe(4999);
  expect(() => kernel.intern(keysOf(names.slice(4999)))).toThrow(LimitError);
  expect(() => kernel.intern(keysOf(names.slice(4999)))).toThrow('DICTIONARY_ENTRIES_MAX');
  expect([...kernel.intern(keysOf(['key 4999', 'key 0']))]).toEqual([4999, 0]);
  expect(kernelStats(kernel).entries).toBe(5000);
});

test('keys are told apart by their bytes where their hashes agree', () => {
  // Among so many keys of one length some share the dictionary's 32-bit hash.
  const count = 400_000;
  const { kernel } = new Subject(program, { rowsMax: 4096 });
  const bytes = new TextEncoder();
  const offsets = Uint32Array.from({ length: 4001 }, (_, i) => i * 6);
  for (let from = 0; from < count; from += 4000) {
    const names = range(from, from + 4000).map((i) => String(100_000 + i));
    const ids = kernel.intern({ bytes: bytes.encode(names.join('')), offsets });
    expect([ids[0], ids[3999]]).toEqual([from, from + 3999]);
  }
});

test('keys are told apart by each of their bytes and by their lengths, zeros at their ends among them', () => {
  const { kernel } = new Subject(program, { rowsMax: 4096 });
  const names = range(0, 40).flatMap((length) => {
    const name = 'abcdefghijklmnopqrstuvwxyz0123456789+-*/'.slice(0, length);
    const changed = range(0, length).map((i) => `${name.slice(0, i)}\u007f${name.slice(i + 1)}`);
    return [name, `${name.slice(0, -1)}\0`, '\0'.repeat(length), ...changed];
  });
  const distinct = [...new Set(names)];
  expect(distinct.length).toBeGreaterThan(800);
  const ids = range(0, distinct.length);
  expect([...kernel.intern(keysOf(distinct))]).toEqual(ids);
  expect([...kernel.intern(keysOf(distinct.toReversed()))]).toEqual(ids.toReversed());
  expect([...kernel.intern(keysOf([...distinct, 'new', ...distinct]))]).toEqual([
    ...ids,
    ids.length,
    ...ids,
  ]);
});

test('memory stays within its limit: the batch ends before the row that does not fit, and expiry makes room', () => {
  const memoryBytesMax = 1_048_576;
  const subject = new Subject(
    { ...program, window: { sizeMs: 10, advanceMs: 10, graceMs: 0 } },
    { memoryBytesMax },
  );
  const { kernel } = subject;
  const batch = (at: number, length: number) => ({
    length,
    selection: null,
    ids: kernel.intern(keysOf(range(at, at + length).map((i) => `k${i % 60}`))),
    // One window per 50 rows; all of them closed but the last, but not collected.
    rowtime: Float64Array.from(range(at, at + length), (i) => Math.floor(i / 50) * 10),
    arguments: [{ values: new Float64Array(length).fill(1), validity: null }],
  });
  let at = 0;
  let refused: string | null = null;
  const taken: number[] = [];
  while (refused === null && at < 1_000_000) {
    const output = kernel.process(batch(at, 64));
    refused = output.refused;
    taken.push(output.consumed);
    at += output.consumed;
  }
  expect(new Set(taken.slice(0, -1))).toEqual(new Set([64]));
  expect(taken.at(-1)).toBeLessThan(64);
  expect(refused).toBe('KERNEL_MEMORY_BYTES_MAX');
  expect(kernelStats(kernel).memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
  expect(kernel.expire()).toBe(0);
  let rows = 0;
  const collected = kernel.collectChanges(({ state }) => {
    rows += Number(new DataView(state.buffer, state.byteOffset).getBigInt64(16, true));
  });
  expect(collected).toBe(kernelStats(kernel).groups);
  expect(rows).toBe(at);
  expect(kernel.expire()).toBeGreaterThan(0);
  const after = kernel.process(batch(at, 64));
  expect(after.refused).toBeNull();
  expect(after.consumed).toBe(64);
});

test('closed windows are pooled: ten thousand windows take no more memory than ten', () => {
  const subject = new Subject({ ...program, window: { sizeMs: 10, advanceMs: 10, graceMs: 0 } });
  const turn = (window: number): void => {
    const rows = range(0, 40).map((i) => ({ key: `k${i}`, rowtime: window * 10, values: [1] }));
    subject.process(rows);
    subject.kernel.collectChanges(() => undefined);
    subject.kernel.expire();
  };
  for (const window of range(0, 10)) turn(window);
  const { memoryBytes } = kernelStats(subject.kernel);
  for (const window of range(10, 10_000)) turn(window * 3);
  expect(kernelStats(subject.kernel)).toEqual({ entries: 40, groups: 40, panes: 1, memoryBytes });
});

test('a row falls in as many windows as a batch has rows, and no more', () => {
  const hopping = (hops: number): KernelProgram => ({
    ...program,
    window: { sizeMs: hops, advanceMs: 1, graceMs: 0 },
    output: 'rows',
  });
  const subject = new Subject(hopping(64), { rowsMax: 64 });
  const rows = [100, 101].map((rowtime) => ({ key: 'k', rowtime, values: [1] }));
  const starts = subject.process(rows).map(({ windowStart }) => windowStart);
  expect(starts).toEqual([...range(37, 101), ...range(38, 102)]);
  expect(() => new Subject(hopping(65), { rowsMax: 64 })).toThrow(InvariantError);
});

test('a row whose windows do not all fit comes to none of them', () => {
  const window = { sizeMs: 500, advanceMs: 1, graceMs: 1_000_000 };
  const { kernel } = new Subject(
    { ...program, window },
    { memoryBytesMax: 2_097_152, rowsMax: 512 },
  );
  const rows = 20;
  const output = (from: number) =>
    kernel.process(
      {
        length: rows,
        selection: null,
        ids: kernel.intern(keysOf(range(0, rows).map(String))),
        rowtime: Float64Array.from(range(1, rows + 1), (i) => i * 1000),
        arguments: [{ values: new Float64Array(rows).fill(1), validity: null }],
      },
      from,
    );
  let taken = 0;
  for (let refused: string | null = null; refused === null;) {
    ({ consumed: taken, refused } = output(taken));
  }
  expect(taken).toBeGreaterThan(1);
  expect(taken).toBeLessThan(rows);
  expect(kernel.streamTime).toBe(taken * 1000);
  const counts = new Map<number, number>();
  collectAll(kernel, ({ id }) => counts.set(id, (counts.get(id) ?? 0) + 1));
  expect([...counts]).toEqual(range(0, taken).map((id) => [id, 500]));
});

test('a kernel that cannot hold its buffers says so', () => {
  expect(() => new Kernel(kernelModule, program, { memoryBytesMax: 131_072 })).toThrow(
    'KERNEL_MEMORY_BYTES_MAX',
  );
});

test('a value by offset that is null has no offset, and one that is not has one', () => {
  const aggregates = [{ function: 'LATEST_BY_OFFSET', argument: 0 }];
  const subject = new Subject({ ...program, aggregates });
  subject.process([
    { key: 'a', rowtime: 3, values: [1] },
    { key: 'b', rowtime: 3, values: [null] },
  ]);
  for (const change of subject.changes().values()) {
    const state = change.state.slice();
    state[8] = (state[8] ?? 0) ^ 1;
    subject.restore([change]);
    expect(() => subject.restore([{ ...change, state }])).toThrow(TaskCorrupted);
  }
});

test('state bytes that are not of the program are refused', () => {
  const subject = new Subject(program);
  subject.process([{ key: 'a', rowtime: 3, values: [1] }]);
  const [change] = subject.changes().values();
  if (change === undefined) throw new Error('a row makes a change');
  for (const [at, value] of [
    [7, 0xff], // a rowtime that is none
    [8, 0], // COUNT is never null
    [8, 0xff], // more cells than there are
  ] as const) {
    const state = change.state.slice();
    state[at] = value;
    expect(() => subject.restore([{ ...change, state }])).toThrow(TaskCorrupted);
  }
});

test('a group has as many cells as its state can say are null, and no more', () => {
  const latest = { function: 'LATEST_BY_OFFSET', argument: 0 };
  const deviation = { function: 'STDDEV_SAMP', argument: 0 };
  const filled = [
    Array.from({ length: KERNEL_CELLS_MAX / 2 }, () => latest),
    [latest, latest, ...Array.from({ length: KERNEL_CELLS_MAX / 3 - 1 }, () => deviation)],
  ];
  for (const aggregates of filled) {
    const subject = new Subject({ ...program, aggregates });
    const row = { key: 'a', rowtime: 3, values: [2] };
    const [output] = subject.process([row, row, row]);
    const expected = aggregates.map(({ function: name }) => (name === 'STDDEV_SAMP' ? '0' : '2'));
    expect(output?.results).toEqual(expected);
    const [change] = subject.changes().values();
    if (change === undefined) throw new Error('a row makes a change');
    const next = new Subject({ ...program, aggregates });
    next.restore([change]);
    expect(next.process([{ ...row, values: [null] }])[0]?.results).toEqual(expected);
  }
  const tooMany = Array.from({ length: KERNEL_CELLS_MAX / 3 + 1 }, () => deviation);
  expect(() => new Subject({ ...program, aggregates: tooMany })).toThrow(InvariantError);
});

test('no call traps, whatever its arguments and whatever stands in the buffers', () => {
  const calls = [
    'reserveKeys',
    'intern',
    'internNumbers',
    'probe',
    'process',
    'read',
    'collect',
    'markAll',
    'restore',
    'expire',
    'openSessions',
  ] as const;
  const queries = [
    'buffer',
    'keyAddress',
    'keyLength',
    'stat',
    'advanceStreamTime',
    'init',
    'version',
    'offsets',
  ] as const;
  const number = fc.oneof(fc.integer({ min: -2, max: 70 }), fc.integer(), fc.maxSafeNat());
  const step = fc.record({
    name: fc.constantFrom(...calls, ...calls, ...queries),
    numbers: fc.tuple(number, number, number, number, number),
    // What the input buffers are filled with, by kind, and how: bytes repeated.
    kind: fc.integer({ min: 2, max: 21 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });
  const stepLists = fc.array(step, { maxLength: 40, size: 'max' });
  const kinds = fc.record({
    perRow: fc.boolean(),
    isWhole: fc.boolean(),
    hasSessions: fc.boolean(),
    isOverTable: fc.boolean(),
  });
  fc.assert(
    fc.property(kinds, stepLists, ({ perRow, isWhole, hasSessions, isOverTable }, steps) => {
      const { calls: kernel, memory } = instantiate(kernelModule, 8 * 1_048_576);
      const config = new DataView(
        memory.buffer,
        kernel.buffer(BUFFER_CONFIG, 0) >>> 0,
        CONFIG_BYTES,
      );
      const bounds = { rowsMax: 64, entriesMax: 100, memoryBytesMax: 0, seed: 1 };
      const output = perRow || hasSessions ? 'rows' : 'groups';
      const made = { ...(isWhole ? wholeProgram : program), output } as const;
      const other = hasSessions ? { ...made, window: null } : made;
      writeProgram(config, isOverTable && !hasSessions ? tableProgram : other, bounds);
      expect(kernel.init()).toBe(0);
      const opened = hasSessions ? kernel.openSessions(20, 30, 60, 1000, Number(perRow)) : 0;
      expect(opened).toBe(0);
      for (const { name, numbers, kind, bytes } of steps) {
        const address = kernel.buffer(kind, 0) >>> 0;
        if (address !== 0) {
          const area = new Uint8Array(memory.buffer, address, 64);
          for (let i = 0; i < 64; i += 1) area[i] = bytes[i % bytes.length] ?? 0;
        }
        const call: (...values: number[]) => number = kernel[name as keyof KernelExports];
        expect(Number.isNaN(call(...numbers))).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

test('over a table there are neither windows nor sessions, nor what cannot be taken back, and nothing in the halves of pages', () => {
  expect(new Subject(tableProgram).kernel.calls.openSessions(1, 1, 10, 0, 0)).toBeLessThan(0);
  const others = ['MIN', 'MAX', ...Object.keys(OTHER_FUNCTIONS)];
  for (const wrong of [
    { window: program.window },
    ...others.map((name) => ({ aggregates: [{ function: name, argument: 0 }] })),
  ])
    expect(() => new Subject({ ...tableProgram, ...wrong })).toThrow(InvariantError);
  expect(() => new Subject(tableProgram, {}, pagesKernel('aggregates'))).toThrow(InvariantError);
});

test('nothing but `init` works before it, and a wrong configuration is refused', () => {
  const { calls } = instantiate(kernelModule, 1_048_576);
  expect(calls.process(0, -1, 0, 0)).toBeLessThan(0);
  expect(calls.intern(0)).toBeLessThan(0);
  expect(calls.init()).toBeLessThan(0);
  expect(calls.process(0, -1, 0, 0)).toBeLessThan(0);
});

test('whatever changes between two parts of a collection is collected, and nothing twice', () => {
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    {
      weight: 2,
      arbitrary: fc.array(fc.nat({ max: 299 }), { minLength: 1, maxLength: 64, size: 'max' }),
    },
  );
  const steps = fc.array(step, { minLength: 1, maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 2000), (all, strangers) => {
      const subject = new Subject({ ...program, window: null }, { rowsMax: 64 });
      const { kernel } = subject;
      subject.know(strangers);
      const rows = new Map<string, number>();
      const collected = new Map<string, number>();
      const changed = new Set<string>();
      /** Takes one part, which is less than there is while many have changed. */
      const collect = (): number => {
        kernel.calls.collect();
        const { result, outId, states } = kernel.views.attach();
        const count = result[RESULT_EMITTED >> 2] ?? 0;
        const view = new DataView(states.buffer, states.byteOffset, states.byteLength);
        for (let i = 0; i < count; i += 1) {
          const key = subject.keyOf(outId[i] ?? 0);
          expect(changed.delete(key)).toBe(true);
          collected.set(key, Number(view.getBigInt64(i * kernel.stateBytes + 16, true)));
        }
        return count;
      };
      const parts: { readonly most: number; readonly count: number }[] = [];
      for (const keys of all) {
        if (keys === null) {
          const most = Math.min(64, changed.size);
          parts.push({ most, count: collect() });
          continue;
        }
        subject.process(keys.map((key) => ({ key: `k${key}`, rowtime: 1, values: [1] })));
        for (const key of keys) {
          changed.add(`k${key}`);
          rows.set(`k${key}`, (rows.get(`k${key}`) ?? 0) + 1);
        }
      }
      while (collect() > 0);
      expect(parts.filter(({ most, count }) => count !== most)).toEqual([]);
      expect(collected).toEqual(rows);
      expect(changed.size).toBe(0);
    }),
    { numRuns: 300 },
  );
});
