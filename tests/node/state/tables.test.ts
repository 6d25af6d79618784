// State tables over a store: what is in memory, what is read, what a commit takes, what is let go.

import { expect, test } from 'vitest';
import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { batch, prettySchema } from '../../../runtime/data/pretty.ts';
import { AggregateTable } from '../../../runtime/state/aggregate-table.ts';
import { GroupKeys, NO_GROUP } from '../../../runtime/state/group-keys.ts';
import { GroupNames } from '../../../runtime/state/group-names.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { RowTable } from '../../../runtime/state/row-table.ts';
import { typedAccumulators } from '../../../runtime/state/typed-accumulators.ts';
import { MapState } from '../../support/operator-harness.ts';
import { callOf } from '../../support/operator-inputs.ts';

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
