// What SQLite refuses has its code whether the runtime gives SQLite's number or, as Deno, its words alone.

import { DatabaseSync } from 'node:sqlite';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { Database, refusing } from '../../../runtime/sqlite/database.ts';
import { Folder } from './file.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

/** What Node throws: an error with SQLite's number. */
function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Error && 'errcode' in thrown) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

/** The code that the error gets; null: it stays what it is. */
function codeOf(error: Error): string | null {
  try {
    return refusing('a test', () => {
      throw error;
    });
  } catch (thrown) {
    return thrown instanceof PortError ? thrown.code : null;
  }
}

/** The error as Deno has it. */
function withoutNumber({ message }: Error): Error {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR' });
}

const REFUSALS: readonly (readonly [what: string, code: string | null, work: () => unknown])[] = [
  [
    'another one has the file',
    'UNAVAILABLE',
    () => {
      const first = new Database(folder.file('locked.db'), 'relaxed');
      try {
        new DatabaseSync(folder.file('locked.db')).exec('BEGIN EXCLUSIVE');
      } finally {
        first.close();
      }
    },
  ],
  ['there is no folder', 'UNAVAILABLE', () => new DatabaseSync(folder.file('no/folder.db'))],
  [
    'the file may not be written',
    'UNAVAILABLE',
    () => {
      new DatabaseSync(folder.file('read.db')).exec('CREATE TABLE a(b)');
      new DatabaseSync(folder.file('read.db'), { readOnly: true }).exec('INSERT INTO a VALUES (1)');
    },
  ],
  [
    'the file is no database',
    'CORRUPT',
    () => {
      writeFileSync(folder.file('text.db'), 'a text that is long enough to be one. '.repeat(99));
      new DatabaseSync(folder.file('text.db')).exec('CREATE TABLE a(b)');
    },
  ],
  [
    'there is no room',
    'STORAGE_FULL',
    () =>
      new DatabaseSync(folder.file('full.db')).exec(
        'PRAGMA max_page_count = 2; CREATE TABLE a(b); INSERT INTO a VALUES (zeroblob(99999))',
      ),
  ],
  ['the statement is wrong', null, () => new DatabaseSync(':memory:').exec('ROLLBACK')],
];

test.each(REFUSALS)('%s: %s', (_what, code, work) => {
  const error = thrownBy(work);
  expect(codeOf(error)).toBe(code);
  expect(codeOf(withoutNumber(error))).toBe(code);
});
