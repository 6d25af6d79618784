// Rows that an upgrade moves: read once, written under their last table, in its columns; nothing is left where they were.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { TaskCorrupted } from '../../../runtime/base/errors.ts';
import { decodeCells, encodeCells } from '../../../runtime/data/cells.ts';
import { prettySchema } from '../../../runtime/data/pretty.ts';
import { INTEGER, STRING } from '../../../runtime/data/type.ts';
import type { MovedTable, Plan } from '../../../runtime/plan/step.ts';
import type { Entry, StateReader } from '../../../runtime/ports/store.ts';
import { movedRows } from '../../../runtime/task/moved-rows.ts';

const NARROW = prettySchema('K:STRING key | A:INTEGER');
const WIDE = prettySchema('K:STRING key | A:INTEGER | B:STRING');
const KEY = encodeUtf8('k');

function reader(tables: Readonly<Record<string, readonly Entry[]>>): StateReader {
  return { get: () => null, scan: (table) => tables[table] ?? [] };
}

const planOf = (...moved: readonly MovedTable[]): Plan => ({
  version: 1,
  query: 'q',
  kind: 'persistent',
  statement: '',
  internalTopics: [],
  subtopologies: [],
  materialized: null,
  fused: { fused: true, why: '' },
  from: 'earliest',
  moved,
});

const value = encodeCells([INTEGER], 5, [1]);
const widened: MovedTable = { subtopology: 0, from: '1', to: '7', before: NARROW, after: WIDE };

test('a row moves with its rowtime; a column that it never had is null', () => {
  const changes = movedRows(planOf(widened), 0, reader({ '1': [{ key: KEY, value }] }));
  expect(changes.map(({ table, value: bytes }) => [table, bytes === null])).toEqual([
    ['1', true],
    ['7', false],
  ]);
  expect(decodeCells([INTEGER, STRING], changes[1]?.value ?? new Uint8Array())).toEqual({
    rowtime: 5,
    values: [1, null],
  });
});

test('a row that two upgrades moved goes to its last table at once', () => {
  const again: MovedTable = { subtopology: 0, from: '7', to: '9', before: WIDE, after: NARROW };
  const state = reader({ '1': [{ key: KEY, value }] });
  const changes = movedRows(planOf(widened, again), 0, state);
  expect(changes.map(({ table }) => table)).toEqual(['1', '9']);
  expect(changes[1]?.value).toEqual(value);
});

test('rows that are forgotten, or on their way to a table that is, only go', () => {
  const gone: MovedTable = { subtopology: 0, from: '7', to: null, before: WIDE, after: WIDE };
  const state = reader({ '1': [{ key: KEY, value }] });
  expect(movedRows(planOf(widened, gone), 0, state)).toEqual([
    { table: '1', key: KEY, value: null },
  ]);
});

test('only the task’s own sub-topology is looked at, and nothing is done twice', () => {
  expect(movedRows(planOf(widened), 1, reader({ '1': [{ key: KEY, value }] }))).toEqual([]);
  expect(movedRows(planOf(widened), 0, reader({ '7': [{ key: KEY, value }] }))).toEqual([]);
});

test('a damaged row is named as such', () => {
  const state = reader({ '1': [{ key: KEY, value: new Uint8Array([1]) }] });
  expect(() => movedRows(planOf(widened), 0, state)).toThrow(TaskCorrupted);
});
