// The log of a task's state against a plain Map: whatever is written, aborted, rewritten and opened again, both hold the same.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { announceOwnParts } from '../../runtime/browser/own-parts.ts';
import { RARE_ROWS } from '../../runtime/browser/parts.ts';
import { StateLog } from '../../runtime/browser/state-log.ts';
import { KEY } from '../../runtime/data/parts.ts';
import { announceParts } from '../../runtime/engine/parts.ts';
import type { StateReader } from '../../runtime/ports/store.ts';

announceParts();
announceOwnParts();
await Promise.all([RARE_ROWS.load(), KEY.load()]);

type Change = readonly [table: string, key: string, value: string | null];

interface Step {
  readonly changes: readonly Change[];
  readonly outcome: 'commit' | 'abort' | 'commit and open again';
}

const change = fc.tuple(
  fc.constantFrom('1', '2'),
  fc.constantFrom(...'abcdefghij'.split('')),
  fc.option(fc.string({ maxLength: 30 })),
);
const step: fc.Arbitrary<Step> = fc.record({
  changes: fc.array(change, { maxLength: 6 }),
  outcome: fc.constantFrom('commit', 'commit', 'commit', 'abort', 'commit and open again'),
});

const bytesOf = ([table, key, value]: Change) => ({
  table,
  key: encodeUtf8(key),
  value: value === null ? null : encodeUtf8(value),
});

function contents(reader: StateReader): Map<string, string> {
  const found = new Map<string, string>();
  for (const table of ['1', '2']) {
    for (const { key, value } of reader.scan(table, { from: null, to: null })) {
      found.set(`${table}/${decodeUtf8(key)}`, decodeUtf8(value));
    }
  }
  return found;
}

/** Runs the steps; gives the most bytes that were stored, over what the live entries take. */
function run(steps: readonly Step[], foldBytes: number): number {
  const rows = new Map<number, Uint8Array>();
  const model = new Map<string, string>();
  const reopened = () => {
    const sequences = [...rows.keys()].sort((a, b) => a - b);
    const blobs = sequences.map((sequence) => ({
      sequence,
      bytes: rows.get(sequence) ?? new Uint8Array(),
    }));
    return new StateLog(blobs, foldBytes);
  };
  let log = reopened();
  let most = 0;
  for (const { changes, outcome } of steps) {
    const write = log.write(changes.map(bytesOf));
    if (outcome !== 'abort') {
      for (const { sequence, bytes } of write.puts) {
        if (rows.has(sequence)) throw new Error(`row ${sequence} is written twice`);
        rows.set(sequence, bytes);
      }
      for (const sequence of rows.keys()) {
        if (sequence < (write.removeBelow ?? 0)) rows.delete(sequence);
      }
      for (const [table, key, value] of changes) {
        if (value === null) model.delete(`${table}/${key}`);
        else model.set(`${table}/${key}`, value);
      }
      write.applied();
    }
    expect(contents(log.tables)).toEqual(model);
    expect(contents(reopened().tables)).toEqual(model);
    expect(log.storedBytes).toBe([...rows.values()].reduce((sum, { length }) => sum + length, 0));
    if (outcome === 'commit and open again') log = reopened();
    const live = [...model].reduce((sum, [id, value]) => sum + 14 + id.length + value.length, 0);
    most = Math.max(most, log.storedBytes - 4 * live);
  }
  return most;
}

test.each([64, 256, 4096])('any writes, rewritten from %i bytes on, are read back', (foldBytes) => {
  const seed = Date.now() & 0xffff_ffff;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      expect(run(steps, foldBytes)).toBeLessThan(4 * foldBytes + 4000);
    }),
    { seed, numRuns: 150 },
  );
});

test('a few keys that change for ever do not make the log grow for ever', () => {
  const steps = Array.from({ length: 5000 }, (_, i): Step => {
    return { changes: [['1', 'abc'[i % 3] ?? 'a', `value ${i}`]], outcome: 'commit' };
  });
  expect(run(steps, 4096)).toBeLessThan(8192);
});

test('rewriting many keys is spread over commits, each doing little', () => {
  const log = new StateLog([], 1 << 16);
  const value = new Uint8Array(100);
  const keys = Array.from({ length: 5000 }, (_, i) => encodeUtf8(`key ${i}`));
  log.write(keys.map((key) => ({ table: '1', key, value }))).applied();
  const whole = log.storedBytes;
  let most = 0;
  let removals = 0;
  for (let i = 0; i < 20_000; i++) {
    const key = keys[(i * 7) % keys.length] ?? keys[0];
    if (key === undefined) throw new Error('there are keys');
    const write = log.write([{ table: '1', key, value }]);
    most = Math.max(
      most,
      write.puts.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    if (write.removeBelow !== null) removals += 1;
    write.applied();
  }
  expect(removals).toBeGreaterThan(1);
  expect(most).toBeLessThan(whole / 50);
  expect(log.storedBytes).toBeLessThan(4 * whole);
});
