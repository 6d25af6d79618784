// What one long value has taken goes with it: builders and scanners keep no more room than SCRATCH_BYTES_MAX.

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { SCRATCH_BYTES_MAX } from '../../../runtime/base/limits.ts';
import { Interner } from '../../../runtime/data/interner.ts';
import { JsonScanner } from '../../../runtime/data/json-scanner.ts';

/** A dictionary of one text of so many bytes. */
function finished(interner: Interner, length: number): void {
  const bytes = new Uint8Array(length).fill(0x78);
  interner.intern(bytes, 0, length);
  const dictionary = interner.finish();
  expect([dictionary.size, dictionary.utf8(0).length]).toEqual([1, length]);
}

test('an interner keeps its room up to SCRATCH_BYTES_MAX, gives more back, and is usable behind it', () => {
  const interner = new Interner();
  finished(interner, SCRATCH_BYTES_MAX);
  const { bytes } = interner;
  expect(bytes.length).toBe(SCRATCH_BYTES_MAX);
  finished(interner, 10);
  expect(interner.bytes).toBe(bytes);
  finished(interner, SCRATCH_BYTES_MAX + 1);
  expect(interner.bytes.length).toBe(0);
  finished(interner, 10);
});

test('a scanner holds nothing of a text that it has gone through', () => {
  const scanner = new JsonScanner();
  const text = encodeUtf8('{"a": 1}');
  scanner.open(text, 0, text.length);
  scanner.skip();
  scanner.close();
  expect(scanner.bytes.length).toBe(0);
});
