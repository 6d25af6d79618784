// The rules of grouping, windows and aggregates, each by an example; knows no layout but that of state bytes.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { collectAll, kernelStats, probe } from '../../../runtime/kernel/groups.ts';
import { NULL_GROUP } from '../../../runtime/kernel/instance.ts';
import type { KernelProgram } from '../../../runtime/kernel/program.ts';
import type { Cell, ModelRow } from './model.ts';
import { keysOf, Subject } from './subject.ts';

const ALL = ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'] as const;

function programOf(
  type: 'I32' | 'I64' | 'F64',
  window: KernelProgram['window'] = null,
): KernelProgram {
  const aggregates = ALL.map((name) => ({ function: name, argument: 0 }));
  return { arguments: [type], aggregates, window, output: 'groups' };
}

function resultsOf(
  type: 'I32' | 'I64' | 'F64',
  values: readonly Cell[],
): readonly string[] | undefined {
  const rows = values.map((value): ModelRow => ({ key: 'k', rowtime: 0, values: [value] }));
  return new Subject(programOf(type)).process(rows)[0]?.results;
}

test('over nulls alone COUNT and SUM and AVG are 0, MIN and MAX null', () => {
  expect(resultsOf('F64', [null, null])).toEqual(['0n', '0', 'null', 'null', '0']);
  expect(resultsOf('I64', [null])).toEqual(['0n', '0n', 'null', 'null', '0']);
  expect(resultsOf('I32', [null])).toEqual(['0n', '0', 'null', 'null', '0']);
});

test('an INT sum wraps at 32 bits while its average stays exact', () => {
  const most = 2_147_483_647;
  expect(resultsOf('I32', [most, most])).toEqual(['2n', '-2', `${most}`, `${most}`, `${most}`]);
});

test('BIGINT is exact beyond 2^53 and wraps at 64 bits', () => {
  const odd = 2n ** 53n + 1n;
  expect(resultsOf('I64', [odd])).toEqual([
    '1n',
    `${odd}n`,
    `${odd}n`,
    `${odd}n`,
    `${Number(odd)}`,
  ]);
  const most = 2n ** 63n - 1n;
  expect(resultsOf('I64', [most, 1n])?.slice(0, 4)).toEqual([
    '2n',
    `${-(2n ** 63n)}n`,
    '1n',
    `${most}n`,
  ]);
});

test('MIN and MAX of DOUBLE put -0 below 0 and NaN above Infinity', () => {
  expect(resultsOf('F64', [0, -0])?.slice(2, 4)).toEqual(['-0', '0']);
  expect(resultsOf('F64', [-0, 0])?.slice(2, 4)).toEqual(['-0', '0']);
  expect(resultsOf('F64', [NaN, Infinity])?.slice(2, 4)).toEqual(['Infinity', 'NaN']);
  expect(resultsOf('F64', [NaN])?.slice(2, 4)).toEqual(['NaN', 'NaN']);
});

test('a NaN of any sign and payload is the same, greatest value', () => {
  const values = new Float64Array(
    BigUint64Array.of(0xfff8_0000_0000_0001n, 0x3ff0_0000_0000_0000n).buffer,
  );
  const { kernel } = new Subject(programOf('F64'));
  const ids = kernel.intern(keysOf(['k', 'k']));
  const rowtime = Float64Array.of(0, 0);
  kernel.process({
    length: 2,
    selection: null,
    ids,
    rowtime,
    arguments: [{ values, validity: null }],
  });
  expect(
    kernel
      .results()
      .columns.map(({ values: [first] }) => first)
      .slice(2, 4),
  ).toEqual([1, NaN]);
});

test('keys are told apart by their length and by zeros, at every length', () => {
  const key = (length: number, last: number): Uint8Array => {
    const bytes = new Uint8Array(length);
    if (length > 0) bytes[length - 1] = last;
    return bytes;
  };
  const lengths = Array.from({ length: 40 }, (_, length) => length);
  const keys = lengths.flatMap((length) =>
    length === 0 ? [key(0, 0)] : [key(length, 0), key(length, 1)],
  );
  const joined = new Uint8Array(keys.reduce((sum, { length }) => sum + length, 0));
  const offsets = new Uint32Array(keys.length + 1);
  keys.forEach((bytes, i) => {
    joined.set(bytes, offsets[i]);
    offsets[i + 1] = (offsets[i] ?? 0) + bytes.length;
  });
  const { kernel } = new Subject(programOf('F64'), { rowsMax: 128 });
  const numbers = keys.map((_, i) => i);
  expect([...kernel.intern({ bytes: joined, offsets })]).toEqual(numbers);
  // What stands behind the last one is no part of it.
  for (const fill of [0, 255]) {
    for (const [i, bytes] of keys.entries()) {
      kernel.intern({ bytes: new Uint8Array(64).fill(fill), offsets: new Uint32Array(1) });
      expect([...kernel.intern({ bytes, offsets: Uint32Array.of(0, bytes.length) })]).toEqual([i]);
    }
  }
  expect(keys.map((_, i) => [...kernel.keyOf(i)])).toEqual(keys.map((bytes) => [...bytes]));
});

test('rows may be coded by the keys that were interned last, or by ids put in their place; a code beyond them is no group', () => {
  const { kernel } = new Subject(programOf('F64'));
  const codes = Uint32Array.of(1, 0, 1, 2, 1);
  const rows = {
    length: codes.length,
    selection: null,
    ids: codes,
    isCoded: true,
    rowtime: new Float64Array(codes.length),
    arguments: [{ values: Float64Array.of(1, 2, 4, 8, 16), validity: null }],
  };
  const sums = (): number[] => {
    const { invalid } = kernel.process({ ...rows });
    return [invalid, ...Array.from(kernel.results().columns[1]?.values ?? [], Number)];
  };
  kernel.intern(keysOf(['other']));
  kernel.intern(keysOf(['a', 'b']));
  expect([...kernel.entryIds]).toEqual([1, 2]);
  expect(sums()).toEqual([0, 21, 2]);
  kernel.entryIds = Uint32Array.of(2, 1, 0);
  expect(sums()).toEqual([0, 23, 23, 8]);
});

test('an id beyond the places of a pane does not take the place of another', () => {
  const subject = new Subject(programOf('F64'));
  const rowOf = (name: number): ModelRow => ({
    key: `stranger ${name}`,
    rowtime: 0,
    values: [name],
  });
  subject.know(20);
  subject.process([rowOf(0)]);
  subject.know(60);
  subject.process([rowOf(40)]);
  const outputs = subject.process([rowOf(8), rowOf(40)]);
  expect(outputs.map(({ key, results }) => [key, results[0]])).toEqual([
    ['stranger 8', '1n'],
    ['stranger 40', '2n'],
  ]);
});

test('drops a whole batch of rows of a window that is closed but not yet freed', () => {
  const subject = new Subject(programOf('F64', { sizeMs: 10, advanceMs: 10, graceMs: 0 }));
  const row = (rowtime: number): ModelRow => ({ key: 'k', rowtime, values: [1] });
  subject.process([row(1), row(2)]);
  subject.process([row(10)]);
  expect(subject.process([row(3), row(4), row(5)])).toEqual([]);
  expect(subject.late.map(([row]) => row)).toEqual([0, 1, 2]);
});

test('windows whose places in the table collide are found after one of them is freed', () => {
  const subject = new Subject(programOf('F64', { sizeMs: 1, advanceMs: 1, graceMs: 60 }));
  const row = (rowtime: number): ModelRow => ({ key: 'k', rowtime, values: [1] });
  subject.process([0, 16, 32, 48, 1].map(row));
  subject.changes();
  subject.process([row(61)]);
  subject.changes();
  expect(subject.kernel.expire()).toBe(1);
  const counts = subject.process([16, 32, 48, 1].map(row)).map(({ results }) => results[0]);
  expect(counts).toEqual(['2n', '2n', '2n', '2n']);
  expect(kernelStats(subject.kernel).panes).toBe(5);
});

test('drops a row whose window closed earlier in the same batch, and no row at the edge of grace', () => {
  const subject = new Subject(programOf('F64', { sizeMs: 10, advanceMs: 10, graceMs: 5 }));
  const rows = [3, 14, 9, 15, 9, 10].map((rowtime): ModelRow => ({
    key: 'k',
    rowtime,
    values: [1],
  }));
  const outputs = subject.process(rows);
  expect(subject.late.map(([row]) => row)).toEqual([4]);
  expect(outputs.map(({ windowStart, results }) => [windowStart, results[0]])).toEqual([
    [0, '2n'],
    [10, '3n'],
  ]);
});

test('a late row advances nothing, a row with a null key neither counts nor advances stream time', () => {
  const subject = new Subject(programOf('F64', { sizeMs: 10, advanceMs: 10, graceMs: 0 }));
  expect(subject.kernel.streamTime).toBe(-Infinity);
  subject.process([
    { key: null, rowtime: 500, values: [1] },
    { key: 'k', rowtime: 20, values: [1] },
    { key: 'k', rowtime: 3, values: [1] },
  ]);
  expect(subject.kernel.streamTime).toBe(20);
  expect(subject.late.map(([row]) => row)).toEqual([2]);
});

test('an odd number of rows of several windows does not see the times of a longer batch before', () => {
  const window = { sizeMs: 10, advanceMs: 10, graceMs: 1000 };
  for (const output of ['rows', 'groups'] as const) {
    const subject = new Subject({ ...programOf('F64', window), output });
    const row = (rowtime: number, key: string | null = 'k'): ModelRow => ({
      key,
      rowtime,
      values: [1],
    });
    subject.process([row(5), row(15), row(25), row(900, null)]);
    expect(subject.process([row(25), row(5), row(15)])).toHaveLength(3);
    expect(subject.kernel.streamTime).toBe(25);
    subject.process([row(25), row(5), row(15), row(900, null)]);
    expect(subject.process([row(25), row(5), row(15)])).toHaveLength(3);
    expect(subject.kernel.streamTime).toBe(25);
  }
});

test('a rowtime that is none, and an id that is none, are skipped and counted', () => {
  const { kernel } = new Subject(programOf('F64'));
  kernel.intern(keysOf(['k']));
  const output = kernel.process({
    length: 6,
    selection: null,
    ids: Uint32Array.of(0, 0, 0, 7, NULL_GROUP, 0),
    rowtime: Float64Array.of(-1, NaN, Infinity, 1, 1, 2),
    arguments: [{ values: new Float64Array(6), validity: null }],
  });
  expect([output.invalid, output.length, kernel.streamTime]).toEqual([4, 1, 2]);
});

test('probe lists the missing groups once, and they are in no output before a row comes', () => {
  const subject = new Subject(programOf('F64', { sizeMs: 10, advanceMs: 10, graceMs: 0 }));
  const { kernel } = subject;
  subject.process([{ key: 'known', rowtime: 11, values: [5] }]);
  subject.changes();
  const batch = {
    length: 4,
    selection: null,
    ids: kernel.intern(keysOf(['known', 'a', 'a', 'b'])).slice(),
    rowtime: Float64Array.of(12, 13, 14, 3),
  };
  const missing = probe(kernel, batch);
  expect([...missing.ids].map((id) => subject.keyOf(id))).toEqual(['a']);
  expect([...missing.windowStart]).toEqual([10]);
  expect(kernel.streamTime).toBe(11);
  expect(collectAll(kernel, () => undefined)).toBe(1);
  const values = Float64Array.of(1, 1, 1, 1);
  const output = kernel.process({ ...batch, arguments: [{ values, validity: null }] });
  expect(subject.read(output).map(({ key, isNew }) => [key, isNew])).toEqual([
    ['known', false],
    ['a', true],
  ]);
});

test('state bytes are laid out as documented', () => {
  const program: KernelProgram = {
    arguments: ['I32', 'F64'],
    aggregates: [
      { function: 'COUNT', argument: null },
      { function: 'SUM', argument: 0 },
      { function: 'MIN', argument: 1 },
      { function: 'AVG', argument: 1 },
    ],
    window: { sizeMs: 10, advanceMs: 10, graceMs: 0 },
    output: 'rows',
  };
  const subject = new Subject(program);
  subject.process([
    { key: 'k', rowtime: 25, values: [-7, null] },
    { key: 'k', rowtime: 21, values: [2_147_483_647, null] },
    { key: 'k', rowtime: 22, values: [8, null] },
  ]);
  const [change] = subject.changes().values();
  const bytes = change?.state ?? new Uint8Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  expect(bytes.length).toBe(16 + 5 * 8);
  expect(view.getFloat64(0, true)).toBe(25);
  expect(view.getBigUint64(8, true)).toBe(0b11011n);
  expect(view.getBigInt64(16, true)).toBe(3n);
  expect(view.getBigInt64(24, true)).toBe(BigInt.asIntN(32, 2_147_483_648n));
  expect(view.getBigInt64(32, true)).toBe(0n);
  expect(view.getFloat64(40, true)).toBe(0);
  expect(view.getBigInt64(48, true)).toBe(0n);
});

test('repeated aggregates have the results of the first of their kind', () => {
  const aggregates = [null, 0, 0, null, 0].map((argument, i) => ({
    function:
      argument === null ? ('COUNT' as const) : (['MIN', 'MAX'] as const)[i % 2 === 0 ? 1 : 0],
    argument,
  }));
  const subject = new Subject({ arguments: ['F64'], aggregates, window: null, output: 'rows' });
  const outputs = subject.process([
    { key: 'k', rowtime: 1, values: [null] },
    { key: 'k', rowtime: 1, values: [3] },
    { key: 'k', rowtime: 1, values: [5] },
  ]);
  expect(outputs.map(({ results }) => results)).toEqual([
    ['1n', 'null', 'null', '1n', 'null'],
    ['2n', '3', '3', '2n', '3'],
    ['3n', '3', '5', '3n', '5'],
  ]);
});

test('rows of windows in any order are in those that their times divided by the size tell, at any size and time', () => {
  const last = Number.MAX_SAFE_INTEGER;
  const size = fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.maxSafeNat().map((n) => n + 1),
  );
  const property = fc.property(
    size.filter((ms) => ms <= last),
    fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(-1, 0, 1)), {
      minLength: 1,
      maxLength: 40,
    }),
    (sizeMs, places) => {
      const window = { sizeMs, advanceMs: sizeMs, graceMs: last };
      const subject = new Subject({ ...programOf('F64', window), output: 'rows' });
      const rows = places.map(([place, beside]): ModelRow => {
        const start = Math.floor((place * last) / sizeMs) * sizeMs;
        return { key: 'k', rowtime: Math.min(Math.max(start + beside, 0), last), values: [1] };
      });
      // The second time all windows are there.
      for (let turn = 0; turn < 2; turn += 1) {
        const starts = subject.process(rows).map(({ windowStart }) => windowStart);
        expect(starts).toEqual(rows.map(({ rowtime }) => rowtime - (rowtime % sizeMs)));
      }
    },
  );
  fc.assert(property, { numRuns: 50 });
});
