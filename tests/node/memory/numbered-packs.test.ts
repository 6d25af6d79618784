// Packs whose entries are named by numbers are the same state as change by change, whoever reads it and when.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, encodeUtf8 } from '../../../runtime/base/bytes.ts';
import { writeWindow } from '../../../runtime/data/key-writer.ts';
import { NumberedPack } from '../../../runtime/ports/numbered-pack.ts';
import { ResidentTables } from '../../../runtime/ports/resident.ts';
import type { BlockNames } from '../../../runtime/ports/store.ts';
import { changesOf } from '../../support/operator-harness.ts';

interface Entry {
  readonly id: number;
  readonly startMs: number;
  readonly value: Uint8Array;
}

const keyOf = (id: number, startMs: number): Uint8Array => {
  const key = new ByteWriter();
  key.bytes(encodeUtf8(`group-${id}@`));
  writeWindow(key, startMs, null);
  return key.finish();
};
const newNames = (): BlockNames => ({ key: keyOf });

/** @param entries in any order */
function packOf(names: BlockNames, entries: readonly Entry[], closedMs = -Infinity): NumberedPack {
  const ordered = [...entries].sort((a, b) => a.startMs - b.startMs);
  const values = new ByteWriter();
  const ends = ordered.map(({ value }) => {
    values.bytes(value);
    return values.position;
  });
  return new NumberedPack({
    table: 't',
    names,
    ids: Uint32Array.from(ordered, ({ id }) => id),
    starts: Float64Array.from(ordered, ({ startMs }) => startMs),
    values: values.finish(),
    ends: Uint32Array.from(ends),
    keyBytes: ordered.reduce((sum, { id, startMs }) => sum + keyOf(id, startMs).length, 0),
    closedMs,
  });
}

const contents = (tables: ResidentTables) =>
  [...tables.scan('t', { from: null, to: null })].map(({ key, value }) => [[...key], [...value]]);

const commits = fc.array(
  fc.record({
    entries: fc.uniqueArray(
      fc.record({
        id: fc.oneof(fc.nat(20), fc.nat(5000)),
        startMs: fc.constantFrom(0, 60_000, 120_000),
        value: fc.uint8Array({ maxLength: 12 }),
      }),
      { selector: ({ id, startMs }) => `${id} ${startMs}`, maxLength: 40 },
    ),
    how: fc.constantFrom('pack', 'pack', 'pack', 'new names', 'changes', 'read'),
  }),
  { maxLength: 12 },
);

test('the newest value of each key counts, whatever comes between packs', () => {
  fc.assert(
    fc.property(commits, (given) => {
      const tables = new ResidentTables();
      const one = new ResidentTables();
      const read: unknown[][] = [];
      let names = newNames();
      for (const { entries, how } of given) {
        if (how === 'new names') names = newNames();
        const pack = packOf(names, entries);
        const changes = changesOf(pack);
        one.apply(changes);
        if (how === 'changes') tables.apply(changes);
        else tables.apply([], [pack]);
        if (how === 'read') read.push([contents(tables), contents(one)]);
      }
      read.push([contents(tables), contents(one)]);
      for (const [seen, expected] of read) expect(seen).toEqual(expected);
    }),
  );
});

test('windows that are over may go: what is left are the others, whether they are read before or not', () => {
  for (const isRead of [false, true]) {
    const tables = new ResidentTables();
    const names = newNames();
    const value = Uint8Array.of(1, 2, 3);
    const at = (...starts: number[]): Entry[] =>
      starts.flatMap((startMs) => [1, 2].map((id) => ({ id, startMs, value })));
    tables.apply([], [packOf(names, at(0, 10, 20))]);
    if (isRead) contents(tables);
    tables.apply([], [packOf(names, at(20, 30), 10)]);
    const left = contents(tables).map(([key]) => [...(key as number[])].at(-1));
    expect(left).toEqual(isRead ? [0, 10, 20, 30, 0, 10, 20, 30] : [20, 30, 20, 30]);
  }
});

test('outdated values are held up to 64 MiB, and packs of few as if they were large', () => {
  const names = newNames();
  const grownBy = (entries: readonly Entry[], packs: number): number => {
    const tables = new ResidentTables();
    for (let i = 0; i < packs; i++) tables.apply([], [packOf(names, entries)]);
    return [...tables.scanSettled('t', { from: null, to: null })].length;
  };
  const value = new Uint8Array(1_000_000);
  // Twice a value's bytes are counted, as what holds it in a map takes.
  expect(grownBy([{ id: 1, startMs: 0, value }], 33)).toBe(0);
  expect(grownBy([{ id: 1, startMs: 0, value }], 34)).toBe(1);
  const few = [{ id: 1, startMs: 0, value: Uint8Array.of(1) }];
  expect(grownBy(few, 15_000)).toBe(0);
  expect(grownBy(few, 17_000)).toBe(1);
});
