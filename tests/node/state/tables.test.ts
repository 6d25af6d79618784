// State tables over a store: what is in memory, what is read, what a commit takes, what is let go.

import { expect, test } from 'vitest';
import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { TABLE_ROWS_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { AggregateTable } from '../../../runtime/state/aggregate-table.ts';
import { GroupKeys, NO_GROUP } from '../../../runtime/state/group-keys.ts';
import { GroupNames } from '../../../runtime/state/group-names.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import type { StateBlock, StatePack } from '../../../runtime/ports/store.ts';
import { GROUP_BLOCKS } from '../../../runtime/state/parts.ts';
import { RowTable } from '../../../runtime/state/row-table.ts';
import { typedAccumulators } from '../../../runtime/state/typed-accumulators.ts';
import { changesOf, MapState } from '../../support/operator-harness.ts';
import { callOf } from '../../support/operator-inputs.ts';
import { takeAway } from '../../support/taken-parts.ts';

const INPUT = prettySchema('K:STRING key | V:INTEGER');

class CountingState extends MapState {
  reads = 0;

  override get(table: string, key: Uint8Array): Uint8Array | null {
    this.reads += 1;
    return super.get(table, key);
  }
}

function aggregateTable(state: MapState): AggregateTable {
  const accumulators = typedAccumulators([callOf('COUNT', INPUT)], INPUT);
  if (accumulators === null) throw new Error('COUNT has a typed way');
  const names = new GroupNames(INPUT);
  return new AggregateTable({ table: 't', state, accumulators, names, windowed: true });
}

function group(table: AggregateTable, key: string): number {
  const bytes = encodeUtf8(key);
  return table.index.intern(bytes, 0, bytes.length);
}

test('keys get dense ids and keep them while the index grows', () => {
  const index = new Interner();
  const keys = Array.from({ length: 5000 }, (_, i) => encodeUtf8(`key ${i} ${'x'.repeat(i % 70)}`));
  const ids = keys.map((key) => index.intern(key, 0, key.length));
  expect(ids).toEqual(keys.map((_, i) => i));
  expect(keys.map((key) => index.intern(key, 0, key.length))).toEqual(ids);
  expect(index.key(4321)).toEqual(keys[4321]);
  expect(index.intern(new Uint8Array(0), 0, 0)).toBe(5000);
});

test('a group is found by its text, however its column is stored', () => {
  const index = new Interner();
  const keys = new GroupKeys(new GroupNames(INPUT), index);
  const rows = batch('K:STRING key | V:INTEGER', 'a | 1', 'null | 1', '日本 | 1', 'a | 2');
  expect([...keys.assign(rows)]).toEqual([0, NO_GROUP, 1, 0]);
  const [, values] = rows.columns;
  const objects = {
    ...rows,
    columns: [
      {
        type: { kind: 'STRING' },
        validity: null,
        storage: 'objects',
        values: ['日本', null, 'b', 'a'],
      } as const,
      ...(values === undefined ? [] : [values]),
    ],
  };
  expect([...keys.assign(objects)]).toEqual([1, NO_GROUP, 2, 0]);
});

test('names become key bytes, zero bytes escaped', () => {
  const to = new ByteWriter();
  new GroupNames(INPUT).writeKey(to, encodeUtf8('a\0b'));
  expect([...to.finish()]).toEqual([1, 97, 0, 255, 98, 0, 0]);
});

test('an empty store is not asked for new groups; a filled one is, once a group', () => {
  const state = new CountingState();
  const table = aggregateTable(state);
  const slot = table.slot(table.pane(0), group(table, 'a'));
  expect(table.touch(slot)).toBe(true);
  expect(table.touch(slot)).toBe(false);
  expect(state.reads).toBe(0);
  table.changes(
    (change) => state.apply(change),
    () => false,
  );
  const again = aggregateTable(state);
  const found = again.slot(again.pane(0), group(again, 'a'));
  expect(again.slot(again.pane(0), group(again, 'a'))).toBe(found);
  expect(again.touch(found)).toBe(false);
  expect(state.reads).toBe(1);
});

test('a commit takes a group once, and nothing when nothing came', () => {
  const state = new MapState();
  const table = aggregateTable(state);
  const taken: string[] = [];
  const commit = (): number => {
    taken.length = 0;
    table.changes(
      (change) => taken.push(change.table),
      () => false,
    );
    return taken.length;
  };
  const slot = table.slot(table.pane(10), group(table, 'a'));
  table.touch(slot);
  table.touch(slot);
  expect([commit(), commit()]).toEqual([1, 0]);
});

test('a closed window leaves memory in the commit after the one that took it', () => {
  const state = new MapState();
  const table = aggregateTable(state);
  for (const start of [0, 10]) table.touch(table.slot(table.pane(start), group(table, 'a')));
  const commit = (): number => {
    table.changes(
      (change) => state.apply(change),
      (startMs) => startMs === 0,
    );
    return table.size;
  };
  expect([commit(), commit()]).toEqual([2, 1]);
  // Its place serves the next window.
  table.touch(table.slot(table.pane(20), group(table, 'b')));
  expect(table.size).toBe(2);
});

test('keys without a group in memory are let go, and groups keep their state under new ids', () => {
  const state = new MapState();
  const table = aggregateTable(state);
  table.touch(table.slot(table.pane(100), group(table, 'stays')));
  for (let i = 0; i < 70_000; i++) table.touch(table.slot(table.pane(0), group(table, `key ${i}`)));
  const closed = (startMs: number): boolean => startMs === 0;
  const apply = (change: Parameters<MapState['apply']>[0]): void => state.apply(change);
  expect(table.changes(apply, closed)).toBe(false);
  const before = table.index;
  expect(table.changes(apply, closed)).toBe(true);
  expect(table.index).not.toBe(before);
  expect([table.size, table.index.size]).toEqual([1, 1]);
  const slot = table.slot(table.pane(100), group(table, 'stays'));
  expect(table.touch(slot)).toBe(false);
});

const DOUBLES = prettySchema('K:STRING key | D:DOUBLE');

/** Sums of groups in windows, over two commits; what was handed over side by side, and the state that it makes. */
function handedOver(windowed: boolean): { blocks: (StateBlock | StatePack)[]; lines: string[] } {
  const calls = ['SUM', 'AVG', 'COUNT'].map((name) => callOf(name, DOUBLES, 1));
  const accumulators = typedAccumulators(calls, DOUBLES);
  if (accumulators === null) throw new Error('the calls have a typed way');
  const names = new GroupNames(DOUBLES);
  const state = new MapState();
  const table = new AggregateTable({ table: 't', state, accumulators, names, windowed });
  const blocks: (StateBlock | StatePack)[] = [];
  const add = (key: string, startMs: number, value: number): void => {
    const slot = table.slot(table.pane(startMs), group(table, key));
    table.touch(slot);
    const row = batch('K:STRING key | D:DOUBLE', 'a | 0');
    const values = Float64Array.of(value);
    const columns = [row.columns[0], { ...row.columns[1], values }] as typeof row.columns;
    const one = { slots: Int32Array.of(slot), positions: Uint32Array.of(0), count: 1, rowsOut: 1 };
    accumulators.foldRowtimes(
      { ...row, columns },
      { ...one, undo: null, after: null, before: null },
    );
    accumulators.fold({ ...row, columns }, { ...one, undo: null, after: null, before: null });
  };
  const commit = (overMs: number): void => {
    const over = { ms: overMs, isOver: () => false };
    const take = (block: StateBlock | StatePack): void => {
      blocks.push(block);
      for (const change of changesOf(block)) state.apply(change);
      if ('giveBack' in block) block.giveBack?.();
    };
    table.changes(
      (change) => state.apply(change),
      () => false,
      take,
      windowed ? over : null,
    );
  };
  // More groups than a block has, of windows that turn; a NaN whose bits are not those that are stored.
  const odd = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0] as number;
  for (let i = 0; i < 2500; i++)
    add(`k${i % 1700}`, windowed ? (i % 3) * 10 : 0, i % 7 === 0 ? odd : i);
  commit(0);
  for (let i = 0; i < 9; i++) add(`k${i * 200}`, windowed ? 20 : 0, 1);
  commit(10);
  return { blocks, lines: state.lines() };
}

test.each([true, false])(
  'groups side by side give the state bytes of groups one by one (windowed: %s)',
  (windowed) => {
    const sideBySide = handedOver(windowed);
    const putBack = takeAway([GROUP_BLOCKS]);
    const oneByOne = handedOver(windowed);
    putBack();
    expect(sideBySide.blocks.length).toBeGreaterThan(2);
    expect(sideBySide.blocks.every((block) => 'ids' in block)).toBe(true);
    expect(oneByOne.blocks.every((block) => 'each' in block)).toBe(true);
    expect(sideBySide.lines).toEqual(oneByOne.lines);
    // Of the first window, which was over, nothing went: the others have 1,666 groups, and four more in the second commit.
    expect(sideBySide.lines).toHaveLength(windowed ? 1670 : 1700);
    for (const block of sideBySide.blocks) {
      if (!('ids' in block)) continue;
      expect(block.ids.length).toBeLessThanOrEqual(1024);
      const turns = [...block.starts].filter((ms, i) => i > 0 && ms !== block.starts[i - 1]);
      expect(turns.length).toBeLessThanOrEqual(2);
    }
  },
);

test('over a store that takes groups side by side many stay in memory, and beyond that they are read again', () => {
  const state = new CountingState();
  const table = aggregateTable(state);
  const most = 1_048_576;
  const touch = (key: number): void => {
    table.touch(table.slot(table.pane(0), group(table, `${key}`)));
  };
  const commit = (): boolean =>
    table.changes(
      () => undefined,
      () => false,
      () => undefined,
    );
  for (let i = 0; i < most; i++) touch(i);
  expect([commit(), commit()]).toEqual([false, false]);
  touch(0);
  expect([table.size, state.reads]).toEqual([most, 0]);
  touch(most);
  touch(most + 1);
  touch(most + 2);
  commit();
  expect(commit()).toBe(true);
  expect(table.size).toBe(0);
  touch(1);
  expect(state.reads).toBe(1);
});

test('rows lie over the committed ones until a commit takes them', () => {
  const state = new MapState();
  state.apply({ table: 't', key: Uint8Array.of(1), value: Uint8Array.of(9) });
  const rows = new RowTable('t', state);
  const id = (key: number): number => rows.locate(Uint8Array.of(key), 0, 1);
  expect(rows.get(id(1))).toEqual(Uint8Array.of(9));
  expect(rows.get(id(2))).toBe(null);
  rows.set(id(1), null);
  rows.set(id(2), Uint8Array.of(7));
  expect(rows.get(id(1))).toBe(null);
  rows.changes((change) => state.apply(change));
  expect(state.lines()).toEqual(['t 02 = 07']);
  rows.changes(() => expect.unreachable('nothing changed'));
});

test('rows beyond the bound are read from the store again', () => {
  const state = new CountingState();
  const rows = new RowTable('t', state);
  const key = (i: number): Uint8Array => encodeUtf8(`${i}`);
  const id = (i: number): number => rows.locate(key(i), 0, key(i).length);
  const commit = (): void => rows.changes((change) => state.apply(change));
  for (let i = 0; i < 66_000; i++) rows.set(id(i), Uint8Array.of(i & 255));
  commit();
  rows.set(id(1), Uint8Array.of(42));
  commit();
  state.reads = 0;
  expect([rows.get(id(1)), rows.get(id(5))]).toEqual([Uint8Array.of(42), Uint8Array.of(5)]);
  expect(state.reads).toBe(1);
});

test('of large rows TABLE_ROWS_BYTES_MAX stay after a commit, and a row that is replaced counts once', () => {
  const state = new CountingState();
  const rows = new RowTable('t', state);
  const value = new Uint8Array(1_048_576);
  const fits = TABLE_ROWS_BYTES_MAX / value.length;
  const put = (key: number): void => {
    const bytes = encodeUtf8(`key ${key}`);
    rows.set(rows.locate(bytes, 0, bytes.length), value);
    rows.changes((change) => state.apply(change));
  };
  const get = (key: number) => {
    const bytes = encodeUtf8(`key ${key}`);
    return rows.get(rows.locate(bytes, 0, bytes.length));
  };
  for (let key = 0; key < fits; key++) put(key);
  put(0);
  expect(get(1)?.length).toBe(value.length);
  expect(state.reads).toBe(0);
  put(fits);
  expect(get(fits)).toBe(value);
  expect(state.reads).toBe(0);
  expect(get(1)?.length).toBe(value.length);
  expect(state.reads).toBe(1);
});
