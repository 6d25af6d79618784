// Errors between objects: what passes is told as passing, and what is not known as a fault of ours.

import { expect, test } from 'vitest';
import { toWire } from '../../../edge/wire.ts';
import { TaskCorrupted } from '../../../runtime/base/errors.ts';

test.each([
  ['database is locked: SQLITE_BUSY', { name: 'PortError', code: 'UNAVAILABLE' }],
  ['database or disk is full: SQLITE_FULL', { name: 'PortError', code: 'STORAGE_FULL' }],
  ['no such table: x: SQLITE_ERROR', { name: 'InvariantError' }],
])('%s', (message, told) => {
  expect(toWire(new Error(message))).toMatchObject(told);
});

test('damaged state is never told as passing', () => {
  expect(toWire(new TaskCorrupted('a page'))).toMatchObject({ name: 'InvariantError' });
});
