// State that comes as blocks is the same state as change by change, whoever reads it and when.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { OrderedMap } from '../../../runtime/data/ordered-map.ts';
import { copiedTables } from '../../../runtime/memory/backup.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { BlockNames, StateBlock, StatePack } from '../../../runtime/ports/store.ts';
import { changesOf } from '../../support/operator-harness.ts';

interface Entry {
  readonly id: number;
  readonly startMs: number;
  readonly value: number;
}

const keyOf = (id: number, startMs: number): Uint8Array => encodeUtf8(`group-${id}@${startMs}`);
const newNames = (): BlockNames => ({ key: keyOf });

/** Two words a value or more, the first NaN bits that a copy as doubles would change. */
function blockOf(
  names: BlockNames,
  entries: readonly Entry[],
  closedMs = -Infinity,
  more = 0,
): StateBlock {
  const words = new BigInt64Array(entries.length * (2 + more));
  entries.forEach(({ value }, i) => {
    words.set([0x7ff4_0000_dead_beefn, BigInt(value)], i * (2 + more));
  });
  return {
    table: 't',
    names,
    ids: Uint32Array.from(entries, ({ id }) => id),
    starts: Float64Array.from(entries, ({ startMs }) => startMs),
    values: new Uint8Array(words.buffer),
    valueBytes: 16 + more * 8,
    closedMs,
  };
}

/** Entries of a value that is a multiple of 3 are removed. */
function packOf(entries: readonly Entry[], isOver: StatePack['isOver'] = null): StatePack {
  const pairs = entries.map(({ id, startMs, value }) => ({
    key: keyOf(id, startMs),
    value: value % 3 === 0 ? null : encodeUtf8(`${value}`.slice(0, value % 5)),
  }));
  return {
    table: 't',
    size: pairs.length,
    bytes: pairs.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0),
    each: (visit) => pairs.forEach(({ key, value }) => visit(key, value)),
    isOver,
  };
}

const contents = (tables: ResidentTables) =>
  [...tables.scan('t', { from: null, to: null })].map(({ key, value }) => [[...key], [...value]]);

const entry = fc.record({
  id: fc.oneof(fc.nat(20), fc.nat(5000)),
  startMs: fc.constantFrom(0, 60_000, 120_000),
  value: fc.nat(),
});
const commits = fc.array(
  fc.record({
    entries: fc.uniqueArray(entry, {
      selector: ({ id, startMs }) => `${id} ${startMs}`,
      maxLength: 40,
    }),
    /** Whether the ids begin anew, as those of another kernel do. */
    isRestart: fc.boolean(),
    isRead: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('blocks give the same state as their changes one by one, read at any time', () => {
  fc.assert(
    fc.property(commits, (steps) => {
      const blocks = new ResidentTables();
      const changes = new ResidentTables();
      let names = newNames();
      for (const { entries, isRestart, isRead } of steps) {
        if (isRestart) names = newNames();
        const block = blockOf(names, entries);
        blocks.apply([], [block]);
        changes.apply(changesOf(block));
        const atOnce = isRead ? contents(changes) : null;
        const read = isRead ? contents(blocks) : null;
        expect(read).toEqual(atOnce);
      }
      expect(contents(copiedTables(blocks))).toEqual(contents(changes));
      for (const { entries } of steps) {
        for (const { id, startMs } of entries) {
          const key = keyOf(id, startMs);
          expect(blocks.get('t', key)).toEqual(changes.get('t', key));
        }
      }
    }),
  );
});

test('blocks of many new and known keys, over several pages, give the same state as their changes', () => {
  const block = fc.record({
    /** Ids `first`, `first + step`, and so on. */
    first: fc.nat(3000),
    step: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 1500 }),
    startMs: fc.constantFrom(0, 60_000),
  });
  fc.assert(
    fc.property(fc.array(block, { minLength: 2, maxLength: 5 }), (steps) => {
      const blocks = new ResidentTables();
      const changes = new ResidentTables();
      const names = newNames();
      steps.forEach(({ first, step, count, startMs }, number) => {
        const entries = Array.from({ length: count }, (_, i) => ({
          id: first + i * step,
          startMs,
          value: number * 10_000 + i,
        }));
        blocks.apply([], [blockOf(names, entries)]);
        changes.apply(changesOf(blockOf(names, entries)));
      });
      expect(contents(blocks)).toEqual(contents(changes));
    }),
    { numRuns: 4 },
  );
});

test('of so many blocks that they do not wait for their reader, the last value of each key stays', () => {
  const block = fc.record({
    ids: fc.uniqueArray(fc.nat(600), { minLength: 1, maxLength: 12 }),
    startMs: fc.constantFrom(60_000, 120_000),
    closedMs: fc.constantFrom(0, 0, 0, 60_000),
  });
  fc.assert(
    fc.property(fc.array(block, { minLength: 40, maxLength: 60 }), (steps) => {
      const tables = new ResidentTables();
      const names = newNames();
      const expected = new Map<string, number>();
      let closed = -Infinity;
      for (const [value, { ids, startMs, closedMs }] of steps.entries()) {
        closed = Math.max(closed, closedMs);
        const entries = ids.map((id) => ({ id, startMs, value }));
        // 32 KiB a value: what waits is more than it may be every hundred or so of them.
        tables.apply([], [blockOf(names, entries, closed, 4096)]);
        for (const id of ids) expected.set(`group-${id}@${startMs}`, value);
      }
      const held = [...tables.scan('t', { from: null, to: null })].map(
        ({ key, value }) =>
          [decodeUtf8(key), new DataView(value.buffer).getInt32(8, true)] as const,
      );
      const open = [...expected].filter(([key]) => Number(key.split('@')[1]) > closed);
      expect(new Map(held)).toEqual(new Map(open));
    }),
    { numRuns: 4 },
  );
});

test('windows that have closed go where nobody has asked for them, and what comes later stays', () => {
  const tables = new ResidentTables();
  const names = newNames();
  const at = (startMs: number): Entry => ({ id: 7, startMs, value: startMs });
  tables.apply([], [blockOf(names, [at(0), at(60_000), at(120_000)], 0)]);
  tables.apply([], [blockOf(names, [at(60_000), at(180_000)], 60_000)]);
  const whole = { from: null, to: null };
  expect([...tables.scanSettled('t', whole)]).toEqual([]);
  expect([...tables.scan('t', whole)].map(({ key }) => [...key])).toEqual(
    [120_000, 180_000].map((startMs) => [...keyOf(7, startMs)]),
  );
  expect([...tables.scanSettled('t', whole)]).toHaveLength(2);
});

test('packs, blocks and single changes of one table give the same state in any order', () => {
  const kinds = fc.array(fc.constantFrom('pack', 'block', 'changes'), {
    minLength: 12,
    maxLength: 12,
  });
  const names = newNames();
  fc.assert(
    fc.property(commits, kinds, (steps, chosen) => {
      const mixed = new ResidentTables();
      const changes = new ResidentTables();
      for (const [i, { entries, isRead }] of steps.entries()) {
        const kind = chosen[i];
        const block = kind === 'block' ? blockOf(names, entries) : packOf(entries);
        if (kind === 'changes') mixed.apply(changesOf(block));
        else mixed.apply([], [block]);
        changes.apply(changesOf(block));
        expect(isRead && contents(mixed)).toEqual(isRead && contents(changes));
      }
      expect(contents(copiedTables(mixed))).toEqual(contents(changes));
    }),
  );
});

test('what is over by the last of several packs is not put in order with them', () => {
  const tables = new ResidentTables();
  const isOver = (text: string) => (key: Uint8Array) => decodeUtf8(key).endsWith(text);
  const at = (id: number, startMs: number): Entry => ({ id, startMs, value: 1 });
  tables.apply([], [packOf([at(1, 0), at(2, 0), at(3, 60_000)], isOver('@-'))]);
  expect(contents(tables)).toHaveLength(3);
  tables.apply([], [packOf([at(1, 0), at(4, 0)], isOver('@-'))]);
  tables.apply([], [packOf([at(5, 60_000)], isOver('@0'))]);
  expect([...tables.scan('t', { from: null, to: null })].map(({ key }) => decodeUtf8(key))).toEqual(
    ['group-2@0', 'group-3@60000', 'group-5@60000'],
  );
});

test('a change of a key that came in a block counts after it', () => {
  const tables = new ResidentTables();
  const names = newNames();
  tables.apply([], [blockOf(names, [{ id: 1, startMs: 0, value: 1 }])]);
  tables.apply([{ table: 't', key: keyOf(1, 0), value: null }]);
  expect(contents(tables)).toEqual([]);
  tables.apply([], [blockOf(names, [{ id: 1, startMs: 0, value: 2 }])]);
  expect(contents(tables)).toHaveLength(1);
});

test('many groups of blocks are all found', () => {
  const tables = new ResidentTables();
  const names = newNames();
  const count = 70_000;
  for (let from = 0; from < count; from += 1000) {
    const entries = Array.from({ length: 1000 }, (_, i) => ({
      id: from + i,
      startMs: 0,
      value: i,
    }));
    tables.apply([], [blockOf(names, entries)]);
    // From the first one on the table is one that is read.
    if (from === 0) tables.get('t', keyOf(0, 0));
  }
  expect(contents(tables)).toHaveLength(count);
});

test('a block beyond the limit is refused, and one that only replaces values is not', () => {
  const tables = new ResidentTables();
  const names = newNames();
  const block = blockOf(names, [
    { id: 1, startMs: 0, value: 1 },
    { id: 2, startMs: 0, value: 1 },
  ]);
  const bytes = changesOf(block).reduce(
    (sum, { key, value }) => sum + (value?.length ?? 0) + OrderedMap.entryBytes(key),
    0,
  );
  expect(() => tables.refuseTooLarge('q/0/0', [], bytes - 1, [block])).toThrow('STATE_BYTES_MAX');
  tables.refuseTooLarge('q/0/0', [], bytes, [block]);
  tables.apply([], [block]);
  tables.refuseTooLarge('q/0/0', [], bytes, [block]);
  const third = blockOf(names, [{ id: 3, startMs: 0, value: 1 }]);
  expect(() => tables.refuseTooLarge('q/0/0', [], bytes, [third])).toThrow('STATE_BYTES_MAX');
});

test('a pack beyond the limit is refused, and one that removes as much as it adds is not', () => {
  const tables = new ResidentTables();
  const pack = packOf([
    { id: 1, startMs: 0, value: 1 },
    { id: 2, startMs: 0, value: 1 },
  ]);
  const bytes = changesOf(pack).reduce(
    (sum, { key, value }) => sum + (value?.length ?? 0) + OrderedMap.entryBytes(key),
    0,
  );
  expect(() => tables.refuseTooLarge('q/0/0', [], bytes - 1, [pack])).toThrow('STATE_BYTES_MAX');
  tables.refuseTooLarge('q/0/0', [], bytes, [pack]);
  tables.apply([], [pack]);
  const third = { id: 3, startMs: 0, value: 1 };
  expect(() => tables.refuseTooLarge('q/0/0', [], bytes, [packOf([third])])).toThrow(
    'STATE_BYTES_MAX',
  );
  tables.refuseTooLarge('q/0/0', [], bytes, [packOf([{ id: 1, startMs: 0, value: 3 }, third])]);
});

test('packs whose time is over are let go of as they came', () => {
  const tables = new ResidentTables();
  const timed = (id: number, newestMs: number, overMs: number) => ({
    ...packOf([{ id, startMs: 0, value: 1 }]),
    newestMs,
    overMs,
  });
  const whole = { from: null, to: null };
  const most = 100;
  for (let ms = 0; ms < most; ms++) tables.apply([], [timed(ms, ms, ms - 5)]);
  expect([...tables.scanSettled('t', whole)]).toEqual([]);
  // What is gone does not count any more.
  const bytes = OrderedMap.entryBytes(new Uint8Array(64)) * 10;
  tables.refuseTooLarge('q/0/0', [], bytes, [timed(most, most, most - 5)]);
  tables.apply([], [timed(most, most, most - 5)]);
  expect([...tables.entries('t')]).toHaveLength(6);
});

test('many small packs do not wait for as many entries as large ones may', () => {
  const tables = new ResidentTables();
  const whole = { from: null, to: null };
  const packs = 1000;
  for (let id = 0; id < packs; id++) tables.apply([], [packOf([{ id, startMs: 0, value: 1 }])]);
  expect([...tables.scanSettled('t', whole)].length).toBeGreaterThan(packs - 33);
  expect([...tables.entries('t')]).toHaveLength(packs);
  const large = Array.from({ length: 30_000 }, (_, id) => ({ id, startMs: 1, value: 1 }));
  tables.apply([], [packOf(large), packOf(large)]);
  expect([...tables.scanSettled('t', whole)]).toHaveLength(packs);
});
