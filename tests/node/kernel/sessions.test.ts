// Sessions at the kernel's own calls: what it refuses, what it lists and what it keeps; knows the layout of state bytes.

import { expect, test } from 'vitest';

import { TaskCorrupted } from '../../../runtime/base/errors.ts';
import { granted } from '../../../runtime/kernel/exports.ts';
import { collectAll, kernelStats, restore } from '../../../runtime/kernel/groups.ts';
import { Kernel, type KernelBatch, type KernelOutput } from '../../../runtime/kernel/instance.ts';
import type { KernelBounds, KernelProgram } from '../../../runtime/kernel/program.ts';
import {
  collectSessions,
  lackingSessions,
  openSessions,
  sessionRows,
  type SessionSpec,
} from '../../../runtime/kernel/sessions.ts';
import { kernelModule, keysOf } from './subject.ts';

const PROGRAM: KernelProgram = {
  arguments: ['I32'],
  aggregates: [
    { function: 'COUNT', argument: null },
    { function: 'SUM', argument: 0 },
  ],
  window: null,
  output: 'rows',
};
const SPEC: SessionSpec = { gapMs: 10, graceMs: 100, retentionMs: 110, isPrivate: false };

function sessionKernel(
  spec: Partial<SessionSpec> = {},
  storedMs = -Infinity,
  bounds: Partial<KernelBounds> = {},
): Kernel {
  const kernel = new Kernel(kernelModule, PROGRAM, { rowsMax: 64, ...bounds });
  openSessions(kernel, { ...SPEC, ...spec }, storedMs);
  return kernel;
}

function batchOf(
  kernel: Kernel,
  rows: readonly (readonly [key: string, ms: number])[],
): KernelBatch {
  return {
    length: rows.length,
    selection: null,
    ids: kernel.intern(keysOf(rows.map(([key]) => key))).slice(),
    rowtime: Float64Array.from(rows, ([, ms]) => ms),
    arguments: [{ values: Int32Array.from(rows, (_, i) => i + 1), validity: null }],
  };
}

function take(kernel: Kernel, ...rows: (readonly [key: string, ms: number])[]): KernelOutput {
  return kernel.process(batchOf(kernel, rows));
}

/** Sessions that changed and, in front of them, those to be removed: as key, start and end. */
function changesOf(kernel: Kernel): string[] {
  const changes: string[] = [];
  const name = (id: number): string => new TextDecoder().decode(kernel.keyOf(id));
  collectSessions(kernel, ({ ids, starts, states, gone }) => {
    const view = new DataView(states.buffer, states.byteOffset, states.length);
    gone.ids.forEach((id, i) => {
      changes.push(`-${name(id)} ${gone.starts[i]}..${gone.ends[i]}`);
    });
    ids.forEach((id, i) => {
      const at = i * kernel.stateBytes;
      changes.push(
        `${name(id)} ${starts[i]}..${view.getFloat64(at, true)}: ${view.getBigInt64(at + 16, true)}`,
      );
    });
  });
  return changes.sort();
}

test('only a program without windows whose output is by rows is made one of sessions, once, and of times that are some', () => {
  const open = (kernel: Kernel, ...times: readonly number[]): number => {
    const [gap = NaN, grace = NaN, retention = NaN, stored = NaN] = times;
    return kernel.calls.openSessions(gap, grace, retention, stored, 0);
  };
  const kernel = new Kernel(kernelModule, PROGRAM, { rowsMax: 64 });
  for (const times of [
    [NaN, 0, 10, 0],
    [-1, 0, 10, 0],
    [10, NaN, 10, 0],
    [10, -1, 10, 0],
    [10, 5, 14, 0],
    [10, 5, NaN, 0],
    [10, 5, 2 ** 53, 0],
    [10, 5, 15, NaN],
    [10, 5, 15, Infinity],
  ] as const)
    expect(open(kernel, ...times)).toBeLessThan(0);
  expect(open(kernel, 10, 5, 15, -Infinity)).toBe(0);
  expect(open(kernel, 10, 5, 15, -Infinity)).toBeLessThan(0);
  const others: [Partial<KernelProgram>, number][] = [
    [{ output: 'groups' }, 64],
    [{ window: { sizeMs: 10, advanceMs: 10, graceMs: 0 } }, 64],
    // What one row puts out would find no room.
    [{}, 3],
  ];
  for (const [program, rowsMax] of others)
    expect(
      open(new Kernel(kernelModule, { ...PROGRAM, ...program }, { rowsMax }), 10, 5, 15, 0),
    ).toBeLessThan(0);
});

test('rows begin, lengthen and merge sessions, and put tombstones out for what those were', () => {
  const kernel = sessionKernel();
  const { length, op, rows } = take(kernel, ['a', 100], ['a', 115], ['a', 107], ['a', 107]);
  expect([...op.subarray(0, length)]).toEqual([0, 0, 3, 3, 0, 3, 0]);
  expect([...rows]).toEqual([0, 1, 2, 2, 2, 3, 3]);
  const { starts, ends, hasGone } = sessionRows(kernel, length);
  expect([...starts].map(Number)).toEqual([100, 115, 100, 115, 100, 100, 100]);
  expect([...ends].map(Number)).toEqual([100, 115, 100, 115, 115, 115, 115]);
  expect(hasGone).toBe(true);
  const { columns } = kernel.results();
  const kept = [0, 1, 4, 6];
  expect(kept.map((j) => Number(columns[0]?.values[j]))).toEqual([1, 1, 3, 4]);
  expect(kept.map((j) => columns[1]?.values[j])).toEqual([1, 2, 6, 10]);
  expect(changesOf(kernel)).toEqual(['a 100..115: 4']);
  // What is told is what the store has beside what is here.
  take(kernel, ['a', 120], ['b', 120]);
  expect(changesOf(kernel)).toEqual(['-a 100..115', 'a 100..120: 5', 'b 120..120: 1']);
  expect(changesOf(kernel)).toEqual([]);
});

test('one moment twice is an update, and a row that comes after its session has closed is late', () => {
  const kernel = sessionKernel({ graceMs: 0, retentionMs: 10 });
  const first = take(kernel, ['a', 100], ['a', 100], ['b', 111], ['b', 100], ['a', 101]);
  expect([...first.op.subarray(0, first.length)]).toEqual([0, 2, 0, 0]);
  // The session at 100 has closed as well: the last row begins one.
  expect([...sessionRows(kernel, first.length).starts].map(Number)).toEqual([100, 100, 111, 101]);
  expect(first.late).toEqual(Uint32Array.of(3));
  expect(kernel.streamTime).toBe(111);
});

test('a batch ends before the row whose output might not find room, and goes on there', () => {
  const kernel = sessionKernel({}, -Infinity, { rowsMax: 8 });
  const batch = batchOf(
    kernel,
    Array.from({ length: 8 }, (_, i) => ['a', i] as const),
  );
  const ends: number[] = [];
  let from = 0;
  while (from < 8) {
    const { consumed, length } = kernel.process(batch, from);
    ends.push(...[...sessionRows(kernel, length).ends].map(Number));
    from = consumed;
  }
  expect(ends).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
});

test('memory ends a batch before the row that does not fit, and what was taken stands', () => {
  const kernel = sessionKernel({ graceMs: 1e9, retentionMs: 1e9 + 10 }, -Infinity, {
    memoryBytesMax: 1_048_576,
  });
  let ms = 0;
  let refused: string | null = null;
  while (refused === null) {
    const rows = Array.from({ length: 32 }, (_, i) => ['a', ms + i * 20] as const);
    const output = take(kernel, ...rows);
    refused = output.refused;
    ms += output.consumed * 20;
  }
  expect(refused).toBe('KERNEL_MEMORY_BYTES_MAX');
  expect(ms).toBeGreaterThan(20_000);
  const changes = changesOf(kernel);
  expect(changes).toHaveLength(ms / 20);
  expect(new Set(changes).size).toBe(ms / 20);
  expect(take(kernel, ['a', 0]).consumed).toBe(1);
});

test('of what a store has that is asked which a row can come to, once, and nothing that stands here', () => {
  const kernel = sessionKernel({}, 1000);
  kernel.advanceStreamTime(1000);
  const asked = (...rows: (readonly [string, number])[]): number[][] => {
    const { ids, fromMs, beforeMs } = lackingSessions(kernel, batchOf(kernel, rows), 0);
    return [...ids].map((id, i) => [id, fromMs[i] ?? NaN, beforeMs[i] ?? NaN]);
  };
  expect(asked(['a', 1005], ['b', 1011], ['a', 1000], ['a', 1001], ['a', 880])).toEqual([
    [0, 995, Infinity],
    [0, 990, 995],
    [0, 901, 990],
  ]);
  take(kernel, ['b', 1011]);
  expect(asked(['b', 1009], ['b', 1003])).toEqual([
    [1, 999, 1011],
    [1, 993, 999],
  ]);
});

test('sessions that a store has and the kernel let go are asked for again', () => {
  const kernel = sessionKernel({ graceMs: 10_000, retentionMs: 10_010 });
  const made = (from: number, to: number): void => {
    for (let ms = from; ms < to; ms += 20) take(kernel, ['a', ms]);
  };
  made(0, 400);
  expect(changesOf(kernel)).toHaveLength(20);
  made(400, 420);
  expect(changesOf(kernel)).toHaveLength(1);
  const held: number[] = [];
  collectAll(kernel, ({ windowStart }) => held.push(windowStart));
  expect(held.sort((a, b) => a - b)).toEqual([360, 380, 400]);
  const { fromMs, beforeMs } = lackingSessions(kernel, batchOf(kernel, [['a', 130]]), 0);
  expect([...fromMs, ...beforeMs]).toEqual([120, 360]);
});

test('sessions stay until the commit after the one that takes them, as a store shows them only then', () => {
  const kernel = sessionKernel({ graceMs: 10_000, retentionMs: 10_010 });
  // The latest comes first, and is the last to be taken.
  take(kernel, ['a', 5000]);
  for (let ms = 0; ms < 400; ms += 20) take(kernel, ['a', ms]);
  expect(changesOf(kernel)).toHaveLength(21);
  let held = 0;
  collectAll(kernel, () => (held += 1));
  expect(held).toBe(21);
});

test('a session that ends as long ago as it is kept still takes a row, and those before do not', () => {
  const kernel = sessionKernel({ graceMs: 0, retentionMs: 10 });
  take(kernel, ['c', 100], ['a', 101], ['b', 111], ['b', 111], ['b', 111], ['b', 111]);
  changesOf(kernel);
  expect(granted(kernel.calls.expire())).toBe(1);
  const { op, length } = take(kernel, ['a', 111], ['c', 110]);
  expect([...op.subarray(0, length)]).toEqual([3, 0, 0]);
});

test('what no row can come to goes, and memory is used again: ten thousand keys take no more than a few', () => {
  const kernel = sessionKernel({ graceMs: 0, retentionMs: 10 }, -Infinity, { rowsMax: 4096 });
  const turn = (at: number): void => {
    take(kernel, ...Array.from({ length: 200 }, (_, i) => [`k${i}`, at * 1000] as const));
    expect(changesOf(kernel)).toHaveLength(200);
    granted(kernel.calls.expire());
  };
  for (let at = 0; at < 10; at += 1) turn(at);
  const { memoryBytes } = kernelStats(kernel);
  for (let at = 10; at < 1000; at += 1) turn(at);
  expect(kernelStats(kernel)).toMatchObject({ entries: 200, memoryBytes });
  expect(kernelStats(kernel).groups).toBeLessThanOrEqual(200);
  // Groups to which no row comes are looked at in turn.
  for (let at = 1000; at < 1010; at += 1) {
    take(kernel, ...Array.from({ length: 200 }, () => ['one', at * 1000] as const));
    changesOf(kernel);
    granted(kernel.calls.expire());
  }
  expect(kernelStats(kernel).groups).toBe(1);
});

test('where nobody asks for sessions that are over none is collected', () => {
  const kernel = sessionKernel({ graceMs: 0, retentionMs: 10, isPrivate: true });
  take(kernel, ['a', 0], ['a', 20], ['a', 40], ['b', 0], ['b', 40]);
  expect(changesOf(kernel)).toEqual(['a 40..40: 1', 'b 40..40: 1']);
  take(kernel, ['a', 45], ['c', 100]);
  expect(changesOf(kernel)).toEqual(['-a 40..40', 'c 100..100: 1']);
  expect(kernelStats(kernel).groups).toBe(2);
});

test('stored sessions that overlap, or end before they begin, or with another row, are refused', () => {
  const kernel = sessionKernel();
  take(kernel, ['a', 100], ['a', 105]);
  const states: { id: number; windowStart: number; state: Uint8Array }[] = [];
  kernel.collectChanges((state) => states.push(state));
  const [stored] = states;
  if (stored === undefined) throw new Error('rows make a session');
  const next = sessionKernel({}, 1000);
  next.intern(keysOf(['a', 'b']));
  restore(next, [stored]);
  for (const windowStart of [100, 99, 105])
    expect(() => restore(next, [{ ...stored, windowStart }])).toThrow(TaskCorrupted);
  expect(() => restore(next, [{ ...stored, id: 1, windowStart: 106 }])).toThrow(TaskCorrupted);
  const wrong = stored.state.slice();
  wrong[7] = 0xff;
  expect(() => restore(next, [{ ...stored, id: 1, state: wrong }])).toThrow(TaskCorrupted);
  // Nearer than a gap they are only seen to be wrong when a row is near them all.
  for (const ms of [107, 109]) {
    const state = stored.state.slice();
    new DataView(state.buffer).setFloat64(0, ms, true);
    restore(next, [{ ...stored, windowStart: ms, state }]);
  }
  expect(() => take(next, ['a', 106])).toThrow(TaskCorrupted);
});
