// Rows of two streams by key and rowtime: what is kept, what expires, what is read back, up to the limits.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  EXPIRED_ROWS_MAX,
  JOIN_ROWS_BYTES_MAX,
  JOIN_ROWS_RESIDENT_BYTES_MAX,
  WAITING_ROWS_MAX,
} from '../../../runtime/base/limits.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { batch } from '../../../runtime/data/pretty.ts';
import { INTEGER, STRING, type Type } from '../../../runtime/data/type.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { KeyRange, StateBytes, TableId } from '../../../runtime/ports/store.ts';
import { WaitingRows } from '../../../runtime/state/waiting-rows.ts';
import { keptRows } from '../../../runtime/state/column-rows.ts';
import { NO_ROW } from '../../../runtime/state/kept-rows.ts';
import { indexBytes, type IsWaiting, WindowRows } from '../../../runtime/state/window-rows.ts';
import { Waits } from '../../../runtime/state/row-links.ts';

const RETENTION_MS = 240_000;
const ROW = batch('N:INTEGER', '7');
const SOME_ROWS = 500;
const SOME = Array.from({ length: SOME_ROWS }, (_, i) => String(i));

class State extends ResidentTables {
  scans = 0;

  override scan(table: TableId, range: KeyRange) {
    this.scans += 1;
    return super.scan(table, range);
  }

  take(change: StateBytes): void {
    this.apply([change]);
  }

  count(table: TableId): number {
    return [...super.scan(table, { from: null, to: null })].length;
  }
}

function windowRows(
  state: State,
  isWaiting: IsWaiting = () => false,
  isPrivate = false,
  type: Type = INTEGER,
): WindowRows {
  return new WindowRows({
    table: 'j',
    state,
    kept: [keptRows([type]), keptRows([type])],
    retentionMs: RETENTION_MS,
    isWaiting,
    index: new Interner(),
    isPrivate,
  });
}

/** As key bytes are: none begins another. */
const keyOf = (text: string): Uint8Array => encodeUtf8(`${text}\0\0`);

function located(rows: WindowRows, key: string): number {
  const bytes = keyOf(key);
  return rows.locate(bytes, 0, bytes.length);
}

function commit(rows: WindowRows, state: State): number {
  let removed = 0;
  rows.changes((change) => {
    if (change.value === null) removed++;
    state.take(change);
  });
  return removed;
}

/** The numbers of a key's rows, in the order of their times. */
function numbersOf(rows: WindowRows, side: number, key: string): number[] {
  const found: number[] = [];
  for (
    let row = rows.last(side, located(rows, key));
    row !== NO_ROW;
    row = rows.links(side).before(row)
  )
    found.unshift(row);
  return found;
}

function put(rows: WindowRows, side: number, id: number, ms: number): number {
  rows.begin(side, ROW, ROW.columns, 0);
  return rows.put(side, id, ms, 0, 0);
}

const times = (rows: WindowRows, side: number, key: string): string[] =>
  numbersOf(rows, side, key).map((row) => {
    const links = rows.links(side);
    return `${links.ms(row)}/${links.number(row)}`;
  });

/** Rows, and those of them that wait. */
function waitingRows(state: State): { readonly rows: WindowRows; readonly waiting: WaitingRows } {
  const rows: WindowRows = windowRows(state, (...row) => waiting.has(...row));
  const waiting = new WaitingRows('j.waiting', state, rows);
  return { rows, waiting };
}

function commitAll({ rows, waiting }: ReturnType<typeof waitingRows>, state: State): void {
  waiting.store();
  const forgets = rows.changes((change) => state.take(change));
  waiting.changes((change) => state.take(change), forgets);
}

/** The rowtimes of the rows before the bounds. */
function takenFrom(
  { rows, waiting }: ReturnType<typeof waitingRows>,
  bounds: readonly [number, number],
): number[] {
  const taken: number[] = [];
  waiting.take(bounds, (side, row) => taken.push(rows.links(side).ms(row)));
  return taken;
}

test('rows of a key stand in the order of their times, and of their coming at equal ones', () => {
  const state = new State();
  const rows = windowRows(state);
  for (const ms of [5, 1, 5, 3, 1, 200_000]) put(rows, 0, located(rows, 'a'), ms);
  put(rows, 1, located(rows, 'a'), 4);
  put(rows, 0, located(rows, 'ab'), 2);
  const wanted = ['1/0', '1/1', '3/0', '5/0', '5/1', '200000/0'];
  expect(times(rows, 0, 'a')).toEqual(wanted);
  commit(rows, state);
  const again = windowRows(state);
  expect(times(again, 0, 'a')).toEqual(wanted);
  expect(times(again, 1, 'a')).toEqual(['4/0']);
  expect(times(again, 1, 'ab')).toEqual([]);
  put(again, 0, located(again, 'a'), 5);
  expect(times(again, 0, 'a')).toContain('5/2');
});

test('each side forgets by its own time', () => {
  const rows = windowRows(new State());
  const id = located(rows, 'a');
  put(rows, 0, id, 1_000_000);
  expect(rows.firstMs(0)).toBe(1_000_000 - RETENTION_MS);
  expect(put(rows, 0, id, 1_000_000 - RETENTION_MS - 1)).toBe(NO_ROW);
  expect(put(rows, 0, id, 1_000_000 - RETENTION_MS)).not.toBe(NO_ROW);
  expect(put(rows, 1, id, 5)).not.toBe(NO_ROW);
  expect(rows.firstMs(1)).toBe(5 - RETENTION_MS);
});

test('a commit removes the segments that have expired, and writes no row into them', () => {
  const state = new State();
  const rows = windowRows(state);
  for (const ms of [0, 1000, 119_999, 120_000]) put(rows, 0, located(rows, 'a'), ms);
  expect(commit(rows, state)).toBe(0);
  expect(state.count('j.left')).toBe(4);
  put(rows, 0, located(rows, 'b'), 2);
  put(rows, 0, located(rows, 'a'), 120_000 + RETENTION_MS);
  expect(commit(rows, state)).toBe(3);
  expect(state.count('j.left')).toBe(2);
});

test('where nobody else reads them, rows that came as blocks go without being looked for', () => {
  const state = new State();
  const rows = windowRows(state, () => false, true);
  const id = located(rows, 'a');
  const commitBlocks = (): void =>
    void rows.changes(
      (change) => state.take(change),
      (block) => state.apply([], [block]),
    );
  for (const ms of [0, 1000]) put(rows, 0, id, ms);
  commitBlocks();
  for (const ms of [119_999, 120_000]) put(rows, 0, id, ms);
  commitBlocks();
  put(rows, 0, id, 120_000 + RETENTION_MS);
  const scansBefore = state.scans;
  commitBlocks();
  expect(state.scans).toBe(scansBefore);
  // What came together goes together.
  expect(state.count('j.left')).toBe(3);
  // What has been asked for in between is found by its key, and goes as it does elsewhere.
  put(rows, 0, id, 240_000 + RETENTION_MS);
  commitBlocks();
  expect(state.count('j.left')).toBe(2);
});

test('a commit removes at most EXPIRED_ROWS_MAX rows a side, the next ones the others', () => {
  const state = new State();
  const rows = windowRows(state);
  const count = EXPIRED_ROWS_MAX + 5;
  for (let i = 0; i < count; i++) put(rows, 1, located(rows, `k${i % 100}`), i);
  commit(rows, state);
  put(rows, 1, located(rows, 'k0'), 10 * RETENTION_MS);
  expect(commit(rows, state)).toBe(EXPIRED_ROWS_MAX);
  expect(commit(rows, state)).toBe(5);
  expect(commit(rows, state)).toBe(0);
  expect(state.count('j.right')).toBe(1);
});

test('a new query asks the store for nothing; one that was restored reads a key once', () => {
  const state = new State();
  const rows = windowRows(state);
  for (let i = 0; i < 50; i++) put(rows, 0, located(rows, `k${i}`), i);
  expect(state.scans).toBe(0);
  commit(rows, state);
  const again = windowRows(state);
  state.scans = 0;
  times(again, 0, 'k7');
  const once = state.scans;
  expect(once).toBeGreaterThan(0);
  times(again, 0, 'k7');
  expect(state.scans).toBe(once);
});

/** Bytes of keys, rows and what ties them together. */
const bytesAtHand = ({ index, sides }: WindowRows): number =>
  indexBytes(index) + sides.reduce((sum, { bytesHeld }) => sum + bytesHeld, 0);

test('200,000 small rows that live stay at hand over a store of entries', () => {
  const state = new State();
  const rows = windowRows(state);
  for (let i = 0; i < 200_000; i++) {
    put(rows, i & 1, located(rows, `k${i}`), i & 0xffff);
    if (i % 20_000 === 19_999) rows.changes(() => undefined);
  }
  for (let i = 0; i < 200_000; i += 999)
    expect(numbersOf(rows, i & 1, `k${i}`).map((row) => rows.links(i & 1).ms(row))).toEqual([
      i & 0xffff,
    ]);
  expect(state.scans).toBe(0);
});

test.each([
  ['a store of entries', JOIN_ROWS_BYTES_MAX, 2000, null],
  ['a store that takes blocks', JOIN_ROWS_RESIDENT_BYTES_MAX, 20_000, () => undefined],
] as const)(
  'of large rows that live no more than the limit stays at hand over %s',
  (_, bytesMax, rowBytes, intoBlock) => {
    const state = new State();
    const rows = windowRows(state, undefined, false, STRING);
    const large = batch('S:STRING', 'x'.repeat(rowBytes));
    const count = Math.ceil((1.2 * bytesMax) / rowBytes);
    let most = 0;
    for (let i = 0; i < count; i++) {
      rows.begin(i & 1, large, large.columns, 0);
      rows.put(i & 1, located(rows, `k${i}`), i, 0, 0);
      if (i % 500 !== 499) continue;
      rows.changes((change) => state.take(change), intoBlock);
      const bytes = bytesAtHand(rows);
      expect(bytes).toBeLessThanOrEqual(bytesMax);
      most = Math.max(most, bytes);
    }
    expect(most).toBeGreaterThan(0.7 * bytesMax);
    if (intoBlock !== null) return;
    for (let i = 0; i < count; i += 99) expect(times(rows, i & 1, `k${i}`)).toEqual([`${i}/0`]);
    expect(state.scans).toBeGreaterThan(0);
  },
);

test('rows beyond what stays in memory are read again, waiting ones as such', () => {
  const state = new State();
  const both = waitingRows(state);
  const { rows, waiting } = both;
  const count = 70_000;
  // Of some length, so that they do not stay.
  const long = (i: number): string => `k${i}`.padEnd(500, '-');
  for (let i = 0; i < count; i++) {
    const id = located(rows, long(i));
    const row = put(rows, 0, id, i);
    if (i % 1000 === 0) waiting.add(0, row);
  }
  commitAll(both, state);
  put(rows, 0, located(rows, 'another'), count);
  commitAll(both, state);
  expect(bytesAtHand(rows)).toBeLessThan(JOIN_ROWS_BYTES_MAX / 4);
  const links = rows.links(0);
  const found = numbersOf(rows, 0, long(3000));
  expect(found.map((row) => [links.ms(row), links.waits(row)])).toEqual([[3000, Waits.stored]]);
  for (const row of found) waiting.joined(0, located(rows, long(3000)), row);
  expect(numbersOf(rows, 0, long(3001)).map((row) => links.waits(row))).toEqual([Waits.no]);
  expect(takenFrom(both, [5001, 5001])).toEqual([0, 1000, 2000, 4000, 5000]);
  // One that the queue has read is asked of the table all the same: its key's rows are read beside it.
  const [last = NO_ROW] = numbersOf(rows, 0, long(7000));
  waiting.joined(0, located(rows, long(7000)), last);
  commitAll(both, state);
  expect(takenFrom(both, [9001, 9001])).toEqual([6000, 8000, 9000]);
});

test.each([
  // So many rows live, of those that stay in memory over a store of entries; and more, over one that takes blocks.
  ['a store of entries', 50_000, false],
  ['a store that takes blocks', 100_000, true],
] as const)(
  'rows whose time is over are let go, and those that live are not asked of %s',
  (_, living, takesBlocks) => {
    const state = new State();
    const rows = windowRows(state);
    const keys = 9_999;
    const stepMs = RETENTION_MS / living;
    const wanted = new Map<string, number[]>();
    for (let i = 0; i < 5 * living; i++) {
      const key = `k${(i * 7) % keys}`;
      // As columns: numbers of rows then have gaps.
      const at = i % SOME_ROWS;
      if (at === 0) {
        const some = batch('N:INTEGER', ...SOME);
        rows.begin(0, some, some.columns, 0);
      }
      rows.put(0, located(rows, key), i * stepMs, at, at);
      wanted.set(key, [...(wanted.get(key) ?? []), i * stepMs]);
      if (i % (SOME_ROWS * 20) === SOME_ROWS * 20 - 1)
        rows.changes((change) => state.take(change), takesBlocks ? () => undefined : null);
    }
    state.scans = 0;
    const least = rows.firstMs(0);
    for (let i = 0; i < keys; i += 97) {
      const times = numbersOf(rows, 0, `k${i}`).map((row) => rows.links(0).ms(row));
      expect(times.filter((ms) => ms >= least)).toEqual(
        wanted.get(`k${i}`)?.filter((ms) => ms >= least),
      );
    }
    expect(state.scans).toBe(0);
    expect(numbersOf(rows, 0, 'k0').length).toBeLessThan(wanted.get('k0')?.length ?? 0);
  },
);

test('as long as hardly a row is over, keys keep their numbers and nothing is copied', () => {
  const state = new State();
  const rows = windowRows(state);
  const count = 100_000;
  const commitAt = (to: number): boolean => {
    for (let i = to - count / 2; i < to; i++)
      put(rows, 0, located(rows, `k${i % 9999}`), (i * RETENTION_MS) / count);
    return rows.changes(
      (change) => state.take(change),
      () => undefined,
    );
  };
  expect([commitAt(count / 2), commitAt(count)]).toEqual([false, false]);
  const { kept } = rows.sides[0];
  expect([commitAt(1.5 * count), commitAt(2 * count), commitAt(2.5 * count)]).toContain(true);
  expect(rows.sides[0].kept.size).toBeLessThan(2 * count);
  expect(rows.sides[0].kept).not.toBe(kept);
});

test('waiting rows beyond WAITING_ROWS_MAX a side are read again when they are due, in order', () => {
  const state = new State();
  const both = waitingRows(state);
  const { rows, waiting } = both;
  const count = WAITING_ROWS_MAX + 10;
  for (let i = 0; i < count; i++) {
    const row = put(rows, 0, located(rows, `k${i % 9999}`), count - i);
    waiting.add(0, row);
  }
  waiting.store();
  waiting.changes((change) => state.take(change), false);
  expect(state.count('j.waiting')).toBe(count);
  expect(takenFrom(both, [count + 1, 0])).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  waiting.store();
  waiting.changes((change) => state.take(change), false);
  expect(state.count('j.waiting')).toBe(0);
});
