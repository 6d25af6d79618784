// What every store adapter must do, as one suite that runs in each adapter's own runtime; knows no adapter.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeUtf8, decodeUtf8 } from '../../runtime/base/bytes.ts';
import type { Log } from '../../runtime/ports/log.ts';
import type {
  Commit,
  KeyRange,
  OutboxAppend,
  StateReader,
  Store,
} from '../../runtime/ports/store.ts';
import { recordBatch, refused, topicSpec, valuesFrom } from './log.ts';

/** One store to be tested. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Where its appends go: the log that it commits to, or one that the suite sends pending appends to. */
  readonly log: Log;
  /** The same database opened again, as after a restart; absent where nothing outlives the instance. */
  readonly reopen?: (() => Promise<Store>) | undefined;
  readonly dispose?: (() => Promise<void>) | undefined;
}

const EMPTY: Omit<Commit, 'after'> = {
  offsets: [],
  streamTimes: [],
  counters: [],
  changes: [],
  outbox: [],
};
const ALL: KeyRange = { from: null, to: null };

const change = (key: string, value: string | null, table = '1') => ({
  table,
  key: encodeUtf8(key),
  value: value === null ? null : encodeUtf8(value),
});

const append = (sequence: number, values: readonly string[], partition = 0): OutboxAppend => ({
  to: { topic: 'out', partition },
  sequence,
  count: values.length,
  bytes: recordBatch(values),
});

function rows(reader: StateReader, range: KeyRange = ALL, table = '1'): string[] {
  return [...reader.scan(table, range)].map(
    ({ key, value }) => `${decodeUtf8(key)}=${decodeUtf8(value)}`,
  );
}

/** @param make a new, empty store each time */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`${name} is a store`, () => {
    let under: StoreUnderTest;
    let store: Store;
    const task = 'CTAS_T_1/0/0';

    beforeEach(async () => {
      under = await make();
      store = under.store;
      await under.log.create(topicSpec('out', 2));
    });
    afterEach(async () => {
      await under.dispose?.();
    });

    /** Sends what a commit left pending, as an outbox does. */
    const deliver = async (
      pending: readonly OutboxAppend[],
      producer: { id: string; epoch: number },
    ) => {
      for (const { to, sequence, bytes } of pending)
        await under.log.append(to, bytes, { ...producer, sequence });
    };

    test('forgets damaged state and keeps the producer, its sequences and what is pending', async () => {
      const first = await store.load(task);
      const position = { at: { topic: 'in', partition: 0 }, next: 7, incarnation: '1' };
      const pending = await store.commit(task, {
        ...EMPTY,
        after: first.commit,
        offsets: [position],
        streamTimes: [{ step: '1', ms: 5 }],
        counters: [{ name: 'in', value: 7 }],
        changes: [change('a', '1'), change('b', '2', '2')],
        outbox: [append(0, ['x', 'y'])],
      });
      const seen: unknown[] = [];
      await store.rebuild(task, ({ offsets, streamTimes, sequences }) => {
        seen.push({ offsets, streamTimes, sequences });
        return null;
      });
      expect(seen).toEqual([
        {
          offsets: [position],
          streamTimes: [{ step: '1', ms: 5 }],
          sequences: [{ to: { topic: 'out', partition: 0 }, next: 2 }],
        },
      ]);
      expect(rows((await store.reader(task)) as StateReader)).toEqual(['a=1']);
      await store.rebuild(task, () => ({
        offsets: [{ ...position, next: 0 }],
        streamTimes: [{ step: '@replay', ms: 7 }],
        changes: [change('mark', 'm', '@replay')],
      }));
      // Whoever had the task before has it no more.
      await refused(store.commit(task, { ...EMPTY, after: first.commit + 1 }), 'FENCED');
      const again = await store.load(task);
      expect(again).toMatchObject({
        offsets: [{ ...position, next: 0 }],
        streamTimes: [{ step: '@replay', ms: 7 }],
        counters: [],
        sequences: [{ to: { topic: 'out', partition: 0 }, next: 2 }],
        pending,
      });
      expect(again.producer.id).toBe(first.producer.id);
      expect(again.producer.epoch).toBeGreaterThan(first.producer.epoch);
      expect([rows(again.reader), rows(again.reader, ALL, '2')]).toEqual([[], []]);
      expect(rows(again.reader, ALL, '@replay')).toEqual(['mark=m']);
      await store.commit(task, {
        ...EMPTY,
        after: again.commit,
        changes: [change('a', '9'), change('mark', null, '@replay')],
        outbox: [append(2, ['z'])],
      });
      const restarted = (await under.reopen?.()) ?? store;
      const { reader, sequences } = await restarted.load(task);
      expect([rows(reader), rows(reader, ALL, '@replay')]).toEqual([['a=9'], []]);
      expect(sequences).toEqual([{ to: { topic: 'out', partition: 0 }, next: 3 }]);
    });

    test('starts a task it does not know from nothing', async () => {
      const restored = await store.load(task);
      expect(restored).toMatchObject({
        offsets: [],
        streamTimes: [],
        counters: [],
        sequences: [],
        pending: [],
      });
      expect(restored.reader.get('1', encodeUtf8('a'))).toBeNull();
      expect(rows(restored.reader)).toEqual([]);
      expect(restored.producer.id).toMatch(/^\d+\../);
    });

    test('gives back what was committed, replacing what was named and keeping the rest', async () => {
      const at = (partition: number) => ({ topic: 'in', partition });
      const first = await store.load(task);
      await store.commit(task, {
        after: first.commit,
        offsets: [0, 1].map((partition) => ({ at: at(partition), next: 5, incarnation: 'x' })),
        streamTimes: [
          { step: '1', ms: 10 },
          { step: '2', ms: 20 },
        ],
        counters: [{ name: 'in', value: 7 }],
        changes: [change('a', '1'), change('b', '2'), change('c', '3'), change('a', 'other', '2')],
        outbox: [],
      });
      await store.commit(task, {
        after: first.commit + 1,
        offsets: [{ at: at(1), next: 9, incarnation: 'x' }],
        streamTimes: [{ step: '2', ms: 25 }],
        counters: [
          { name: 'in', value: 8 },
          { name: 'late', value: 1 },
        ],
        changes: [change('b', null), change('c', '33')],
        outbox: [],
      });
      const again = (await under.reopen?.()) ?? store;
      const restored = await again.load(task);
      const byPartition = [...restored.offsets].sort((a, b) => a.at.partition - b.at.partition);
      expect(byPartition.map(({ next }) => next)).toEqual([5, 9]);
      expect([...restored.streamTimes].sort((a, b) => a.ms - b.ms)).toEqual([
        { step: '1', ms: 10 },
        { step: '2', ms: 25 },
      ]);
      expect([...restored.counters].sort((a, b) => b.value - a.value)).toEqual([
        { name: 'in', value: 8 },
        { name: 'late', value: 1 },
      ]);
      expect(rows(restored.reader)).toEqual(['a=1', 'c=33']);
      // Where somebody may ask.
      expect(new Set(restored.reader.ids ?? ['1', '2'])).toEqual(new Set(['1', '2']));
      expect(rows(restored.reader, ALL, '2')).toEqual(['a=other']);
      expect(decodeUtf8(restored.reader.get('1', encodeUtf8('c')) ?? new Uint8Array())).toBe('33');
    });

    test('scans ranges in the order of unsigned bytes', async () => {
      const keys = [[0x80], [0x7f, 0xff], [0xff], [0x00], [0x7f], [], [0x80, 0x00]].map((key) =>
        Uint8Array.from(key),
      );
      const { commit, reader } = await store.load(task);
      const changes = keys.map((key) => ({ table: '1', key, value: Uint8Array.of(key.length) }));
      await store.commit(task, { ...EMPTY, after: commit, changes });
      const scanned = (range: KeyRange) => [...reader.scan('1', range)].map(({ key }) => [...key]);
      expect(scanned(ALL)).toEqual([
        [],
        [0x00],
        [0x7f],
        [0x7f, 0xff],
        [0x80],
        [0x80, 0x00],
        [0xff],
      ]);
      expect(scanned({ from: Uint8Array.of(0x7f), to: Uint8Array.of(0x80) })).toEqual([
        [0x7f],
        [0x7f, 0xff],
      ]);
      expect(scanned({ from: Uint8Array.of(0x80), to: null })).toEqual([
        [0x80],
        [0x80, 0x00],
        [0xff],
      ]);
      expect(scanned({ from: Uint8Array.of(0x81), to: Uint8Array.of(0x82) })).toEqual([]);
    });

    test('scans many keys, in order and each once', async () => {
      const { commit, reader } = await store.load(task);
      const keys = Array.from({ length: 3000 }, (_, i) =>
        String((i * 7919) % 3000).padStart(4, '0'),
      );
      await store.commit(task, {
        ...EMPTY,
        after: commit,
        changes: keys.map((key) => change(key, key)),
      });
      const gone = keys.filter((key) => Number(key) % 3 === 0);
      await store.commit(task, {
        ...EMPTY,
        after: commit + 1,
        changes: gone.map((key) => change(key, null)),
      });
      const left = [...keys].sort().filter((key) => Number(key) % 3 !== 0);
      expect(rows(reader)).toEqual(left.map((key) => `${key}=${key}`));
    });

    test('fences the owner from whom a task was taken, before the new one commits', async () => {
      const old = await store.load(task);
      await store.commit(task, { ...EMPTY, after: old.commit, changes: [change('a', '1')] });
      const taken = await store.load(task);
      expect(taken.producer.id).toBe(old.producer.id);
      expect(taken.producer.epoch).toBeGreaterThan(old.producer.epoch);
      await refused(
        store.commit(task, { ...EMPTY, after: old.commit + 1, changes: [change('a', 'lost')] }),
        'FENCED',
      );
      await store.commit(task, { ...EMPTY, after: taken.commit, changes: [change('b', '2')] });
      expect(rows(taken.reader)).toEqual(['a=1', 'b=2']);
    });

    test('delivers every append of its commits once, with the sequences they were given', async () => {
      const { commit, producer } = await store.load(task);
      const first = [append(0, ['a', 'b']), append(0, ['x'], 1), append(2, ['c'])];
      const pending = await store.commit(task, { ...EMPTY, after: commit, outbox: first });
      await deliver(pending, producer);
      const restored = await store.load(task);
      // Not acknowledged yet: where appends can be pending they are offered again, and the log drops them.
      await deliver(restored.pending, restored.producer);
      const next = new Map(restored.sequences.map(({ to, next }) => [to.partition, next]));
      expect(next).toEqual(
        new Map([
          [0, 3],
          [1, 1],
        ]),
      );
      await store.acknowledge(task, { topic: 'out', partition: 0 }, 3);
      const later = await store.load(task);
      expect(later.pending.every(({ to }) => to.partition === 1)).toBe(true);
      expect(await valuesFrom(under.log, 'out', 0)).toEqual(['a', 'b', 'c']);
      expect(await valuesFrom(under.log, 'out', 1)).toEqual(['x']);
    });

    test('keeps what is pending until its last record is acknowledged', async () => {
      const { commit } = await store.load(task);
      const pending = await store.commit(task, {
        ...EMPTY,
        after: commit,
        outbox: [append(0, ['a', 'b']), append(2, ['c'])],
      });
      if (pending.length === 0) return;
      await store.acknowledge(task, { topic: 'out', partition: 0 }, 1);
      expect((await store.load(task)).pending.map(({ sequence }) => sequence)).toEqual([0, 2]);
      await store.acknowledge(task, { topic: 'out', partition: 0 }, 2);
      expect((await store.load(task)).pending.map(({ sequence }) => sequence)).toEqual([2]);
    });

    test('shows committed state to readers, and nothing of a commit that failed', async () => {
      expect(await store.reader(task)).toBeNull();
      const { commit } = await store.load(task);
      expect(await store.reader(task)).toBeNull();
      await store.commit(task, { ...EMPTY, after: commit, changes: [change('a', '1')] });
      const reader = await store.reader(task);
      expect(reader === null ? null : rows(reader)).toEqual(['a=1']);
      const outbox = [append(0, ['lost'])];
      await refused(
        store.commit(task, { ...EMPTY, after: commit, changes: [change('a', '2')], outbox }),
        'FENCED',
      );
      const after = await store.reader(task);
      expect(after === null ? null : rows(after)).toEqual(['a=1']);
      expect((await store.load(task)).pending).toEqual([]);
      expect(await valuesFrom(under.log, 'out')).toEqual([]);
    });

    test('forgets a task that is removed, and starts it again as another producer', async () => {
      const first = await store.load(task);
      const pending = await store.commit(task, {
        ...EMPTY,
        after: first.commit,
        changes: [change('a', '1')],
        outbox: [append(0, ['a'])],
      });
      await deliver(pending, first.producer);
      await store.remove(task);
      expect(await store.reader(task)).toBeNull();
      const again = await store.load(task);
      expect(rows(again.reader)).toEqual([]);
      expect(again.sequences).toEqual([]);
      expect(again.producer.id).not.toBe(first.producer.id);
      const sent = await store.commit(task, {
        ...EMPTY,
        after: again.commit,
        outbox: [append(0, ['b'])],
      });
      await deliver(sent, again.producer);
      expect(await valuesFrom(under.log, 'out')).toEqual(['a', 'b']);
    });

    test('keeps tasks apart', async () => {
      const other = 'CTAS_T_1/0/1';
      const a = await store.load(task);
      const b = await store.load(other);
      await store.commit(task, { ...EMPTY, after: a.commit, changes: [change('k', 'a')] });
      await store.commit(other, { ...EMPTY, after: b.commit, changes: [change('k', 'b')] });
      await store.remove(task);
      const reader = await store.reader(other);
      expect(reader === null ? null : rows(reader)).toEqual(['k=b']);
    });
  });
}
