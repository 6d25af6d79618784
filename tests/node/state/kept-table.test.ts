// Rows of two sides by key over a store: the last one of each key, on any commits and restarts, and no more of others than the bound.

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import {
  BATCH_ROWS_MAX,
  REPLACED_ROWS_BYTES_MAX,
  TABLE_ROWS_BYTES_MAX,
} from '../../../runtime/base/limits.ts';
import { BatchBuilder } from '../../../runtime/data/batch-builder.ts';
import type { Batch } from '../../../runtime/data/batch.ts';
import { encodeCells } from '../../../runtime/data/cells.ts';
import { valueAt } from '../../../runtime/data/column.ts';
import { writeLong } from '../../../runtime/data/key-writer.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { schema } from '../../../runtime/data/schema.ts';
import { BIGINT, INTEGER, STRING, type Value } from '../../../runtime/data/type.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { TableId } from '../../../runtime/ports/store.ts';
import { keptRows } from '../../../runtime/state/column-rows.ts';
import { NO_ROW } from '../../../runtime/state/kept-rows.ts';
import { KeptTable } from '../../../runtime/state/kept-table.ts';
import { numberIndex } from '../../../runtime/state/number-index.ts';

const TYPES = [INTEGER, STRING];
const SCHEMA = schema(TYPES.map((type, i) => ({ name: `C${i}`, type, role: 'value' as const })));

class State extends ResidentTables {
  reads = 0;

  override get(table: TableId, key: Uint8Array): Uint8Array | null {
    this.reads += 1;
    return super.get(table, key);
  }
}

const tableOver = (state: State): KeptTable =>
  new KeptTable(
    ['left', 'right'].map((table) => ({ table, rows: keptRows(TYPES) })),
    state,
    new Interner(),
  );

/** A batch of rows that count up from a number. @param length of their texts, at least */
function batchOf(first: number, rows: number, length = 0): Batch {
  const builder = new BatchBuilder(SCHEMA);
  for (let n = first; n < first + rows; n++) builder.append([n, `text ${n}`.padEnd(length)], n);
  return builder.finish() as Batch;
}

function located(table: KeptTable, key: number): number {
  const bytes = encodeUtf8(`key ${key}`);
  return table.locate(bytes, 0, bytes.length);
}

function valuesAt(table: KeptTable, key: number, side: number): Value[] | null {
  const row = table.get(located(table, key), side);
  if (row === NO_ROW) return null;
  const values = table.columnsOf(Int32Array.of(row), side).map((column) => valueAt(column, 0));
  expect(table.rowtime(row, side)).toBe(values[0]);
  return values;
}

/** As stores with blocks and as those without are given it. */
function commit(table: KeptTable, state: State, inBlocks: boolean): void {
  if (!inBlocks) table.changes((change) => state.apply([change]));
  else
    table.changes(
      (change) => state.apply([change]),
      (block) => state.apply([], [block]),
    );
}

const KEYS = 12;

test('the last row of each key stays, on any commits and restarts, in blocks or one by one', () => {
  const key = fc.nat({ max: KEYS - 1 });
  const side = fc.nat({ max: 1 });
  const steps = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('put' as const),
        side,
        keys: fc.array(key, { maxLength: 70 }),
      }),
      fc.record({ kind: fc.constant('remove' as const), side, key }),
      fc.record({
        kind: fc.constantFrom('commit' as const, 'restart' as const),
        inBlocks: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('tidy' as const) }),
    ),
    { maxLength: 25 },
  );
  const property = fc.property(steps, (all) => {
    const state = new State();
    let table = tableOver(state);
    const model = new Map<string, number>();
    let n = 0;
    for (const step of all) {
      if (step.kind === 'put') {
        if (step.keys.length === 0) continue;
        const batch = batchOf(n, step.keys.length);
        table.begin(step.side, batch, batch.columns, 0);
        for (const [i, at] of step.keys.entries()) {
          table.set(located(table, at), step.side, i, i, batch.rowtime[i] as number);
          model.set(`${step.side} ${at}`, n + i);
        }
        n += step.keys.length;
      } else if (step.kind === 'remove') {
        table.remove(located(table, step.key), step.side);
        model.delete(`${step.side} ${step.key}`);
      } else if (step.kind === 'tidy') table.tidy();
      else {
        commit(table, state, step.inBlocks);
        if (step.kind === 'restart') table = tableOver(state);
      }
      for (let at = 0; at < KEYS * 2; at++) {
        const [of, one] = [at % 2, at >> 1];
        const wanted = model.get(`${of} ${one}`);
        expect(valuesAt(table, one, of)).toEqual(
          wanted === undefined ? null : [wanted, `text ${wanted}`],
        );
      }
    }
    commit(table, state, true);
    expect([...state.entries('left')].length).toBe(
      [...model.keys()].filter((name) => name.startsWith('0')).length,
    );
  });
  fc.assert(property, { numRuns: 60 });
});

test('rows that no key has any more go once they are too many, and nobody sees it', () => {
  const table = tableOver(new State());
  let batches = 0;
  for (; !table.isUntidy; batches++) {
    const batch = batchOf(batches * BATCH_ROWS_MAX, BATCH_ROWS_MAX);
    table.begin(0, batch, batch.columns, 0);
    for (let i = 0; i < BATCH_ROWS_MAX; i++) table.set(located(table, i % 3), 0, i, i, i);
  }
  expect(batches).toBe(9);
  table.tidy();
  expect(table.isUntidy).toBe(false);
  const last = batches * BATCH_ROWS_MAX - 1;
  expect([2, 1, 0].map((key) => valuesAt(table, key, 0)?.[0])).toEqual(
    [2, 1, 0].map((key) => last - ((((last % BATCH_ROWS_MAX) % 3) - key + 3) % 3)),
  );
});

/** As columns, and as bytes. */
test.each([40, 1])(
  'of large rows that were replaced REPLACED_ROWS_BYTES_MAX stay at hand, where they come %i at a time',
  (rows) => {
    const state = new State();
    const table = tableOver(state);
    const length = 20_000;
    for (let first = 0; first < 1500; first += rows) {
      const batch = batchOf(first, rows, length);
      table.begin(0, batch, batch.columns, 0);
      for (let i = 0; i < rows; i++) table.set(located(table, (first + i) % 3), 0, i, i, first + i);
      commit(table, state, true);
      // What is held in buffers that grow is at most twice what is in it.
      expect(table.side(0).rows.bytesHeld).toBeLessThan(2 * REPLACED_ROWS_BYTES_MAX);
    }
    for (const key of [0, 1, 2]) expect(valuesAt(table, key, 0)?.[1]).toMatch(/^text [0-9]+ +$/);
    expect(state.reads).toBe(0);
  },
);

test('of large rows that keys have TABLE_ROWS_BYTES_MAX stay over a store of entries, all where the store takes blocks', () => {
  const length = 100_000;
  const count = Math.ceil((1.5 * TABLE_ROWS_BYTES_MAX) / length);
  const heldAfter = (inBlocks: boolean) => {
    const state = new State();
    const table = tableOver(state);
    let most = 0;
    for (let n = 0; n < count; n++) {
      const batch = batchOf(n, 1, length);
      table.begin(n & 1, batch, batch.columns, 0);
      table.set(located(table, n), n & 1, 0, 0, n);
      if (n % 8 !== 7) continue;
      commit(table, state, inBlocks);
      most = Math.max(most, table.side(0).rows.bytesHeld + table.side(1).rows.bytesHeld);
    }
    for (let n = 0; n < count; n += 50) expect(valuesAt(table, n, n & 1)?.[0]).toBe(n);
    return { most, reads: state.reads };
  };
  const entries = heldAfter(false);
  expect(entries.most).toBeLessThanOrEqual(TABLE_ROWS_BYTES_MAX);
  expect(entries.most).toBeGreaterThan(TABLE_ROWS_BYTES_MAX / 2);
  expect(entries.reads).toBeGreaterThan(0);
  const blocks = heldAfter(true);
  expect(blocks.most).toBeGreaterThan(TABLE_ROWS_BYTES_MAX);
  expect(blocks.reads).toBe(0);
});

test('keys beyond the bound are read from the store again, those of the last commit are not', () => {
  const state = new State();
  const table = tableOver(state);
  const count = 17 * BATCH_ROWS_MAX;
  for (let first = 0; first < count; first += BATCH_ROWS_MAX) {
    const batch = batchOf(first, BATCH_ROWS_MAX);
    table.begin(1, batch, batch.columns, 0);
    for (let i = 0; i < BATCH_ROWS_MAX; i++)
      table.set(located(table, first + i), 1, i, i, first + i);
  }
  commit(table, state, true);
  expect(valuesAt(table, 7, 1)).toEqual([7, 'text 7']);
  const batch = batchOf(count, 1);
  table.begin(0, batch, batch.columns, 0);
  table.set(located(table, 7), 0, 0, 0, count);
  expect(state.reads).toBe(0);
  commit(table, state, true);
  expect(valuesAt(table, 7, 0)).toEqual([count, `text ${count}`]);
  expect(state.reads).toBe(0);
  expect(valuesAt(table, 7, 1)).toEqual([7, 'text 7']);
  expect(valuesAt(table, count - 1, 1)).toEqual([count - 1, `text ${count - 1}`]);
  expect(state.reads).toBe(1);
});

test('a key that is a number is read as it is, though the store has yet to write others of the index', () => {
  const state = new State();
  const overNumbers = (): KeptTable => {
    const keys = schema([{ name: 'K', type: BIGINT, role: 'key' }]);
    const index = numberIndex([keys]) ?? new Interner();
    return new KeptTable([{ table: 'left', rows: keptRows(TYPES) }], state, index);
  };
  const numbered = (table: KeptTable, key: number): number => {
    const to = new ByteWriter(9);
    writeLong(to, key, 0);
    return table.locate(to.buffer, 0, 9);
  };
  const put = (table: KeptTable, key: number): void => {
    const batch = batchOf(key, 1);
    table.begin(0, batch, batch.columns, 0);
    table.set(numbered(table, key), 0, 0, 0, key);
    commit(table, state, true);
  };
  put(overNumbers(), 7);
  const again = overNumbers();
  expect(again.get(numbered(again, 9), 0)).toBe(NO_ROW);
  put(again, 1);
  const row = again.get(numbered(again, 7), 0);
  expect(row).not.toBe(NO_ROW);
  expect(again.rowtime(row, 0)).toBe(7);
});

test('a row that the store has damaged is a corrupted task', () => {
  const state = new State();
  const key = encodeUtf8('key 1');
  state.apply([{ table: 'left', key, value: encodeCells(TYPES, 5, [1, 'a']).subarray(0, 20) }]);
  expect(() => valuesAt(tableOver(state), 1, 0)).toThrow('a stored row of 20 bytes is too short');
});
