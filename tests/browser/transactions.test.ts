// What IndexedDB refuses or aborts leaves nothing half written, in memory or on disk, and the next good call works.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { OrderedMap } from '../../runtime/data/ordered-map.ts';
import type { Commit, StateReader } from '../../runtime/ports/store.ts';
import { recordBatch, refused, topicSpec, valuesFrom } from '../contracts/log.ts';
import { openIdb, type Opened } from './idb.ts';

const TASK = 'CTAS_T_1/0/0';
const OUT = { topic: 'out', partition: 0 };

let under: Opened;
beforeEach(async () => {
  under = await openIdb();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await under.dispose();
});

const WRITES = ['put', 'add', 'delete'] as const;
/** Two appends of three, the state, the task. */
const WRITES_OF_COMMIT = 8;
/** The producer, the batch and the partition. */
const WRITES_OF_APPEND = 3;

/** Lets `count` writing requests of all transactions through, then has `strike` deal with the transaction of the next. */
function strikeAfter(count: number, strike: (transaction: IDBTransaction) => void): () => boolean {
  let left = count;
  let struck = false;
  for (const name of WRITES) {
    const original = IDBObjectStore.prototype[name] as (...args: unknown[]) => IDBRequest;
    vi.spyOn(IDBObjectStore.prototype, name).mockImplementation(function (
      this: IDBObjectStore,
      ...args: unknown[]
    ) {
      const request = original.apply(this, args) as never;
      if (left-- === 0) {
        struck = true;
        strike(this.transaction);
      }
      return request;
    });
  }
  return () => struck;
}

function rows(reader: StateReader | null): string[] {
  if (reader === null) return [];
  return [...reader.scan('1', { from: null, to: null })].map(
    ({ key, value }) => `${decodeUtf8(key)}=${decodeUtf8(value)}`,
  );
}

const commitOf = (after: number, round: number): Commit => ({
  after,
  offsets: [{ at: { topic: 'in', partition: 0 }, next: round, incarnation: 'x' }],
  streamTimes: [{ step: '1', ms: round }],
  counters: [{ name: 'in', value: round }],
  changes: ['a', 'b'].map((key) => ({
    table: '1',
    key: encodeUtf8(key),
    value: encodeUtf8(String(round)),
  })),
  outbox: [
    { to: OUT, sequence: round, count: 1, bytes: recordBatch([`value ${round}`]) },
    { to: { topic: 'out', partition: 1 }, sequence: round, count: 1, bytes: recordBatch(['x']) },
  ],
});

test('a commit aborted at any of its requests changes nothing, and succeeds when tried again', async () => {
  await under.log.create(topicSpec('out', 2));
  const { commit } = await under.store.load(TASK);
  await under.store.commit(TASK, commitOf(commit, 0));
  let wakes = 0;
  under.log.subscribe(OUT, () => (wakes += 1));
  for (let n = 0; n < WRITES_OF_COMMIT; n++) {
    const struck = strikeAfter(n, (transaction) => transaction.abort());
    await refused(under.store.commit(TASK, commitOf(commit + 1, 1)), 'UNAVAILABLE');
    vi.restoreAllMocks();
    expect(struck()).toBe(true);
    expect(rows(await under.store.reader(TASK))).toEqual(['a=0', 'b=0']);
    expect(rows(await (await under.reopen()).reader(TASK))).toEqual(['a=0', 'b=0']);
    expect(await valuesFrom(under.log, 'out')).toEqual(['value 0']);
    expect(await valuesFrom(under.log, 'out', 1)).toEqual(['x']);
    expect(wakes).toBe(0);
  }
  const struck = strikeAfter(WRITES_OF_COMMIT, (transaction) => transaction.abort());
  await under.store.commit(TASK, commitOf(commit + 1, 1));
  vi.restoreAllMocks();
  expect(struck()).toBe(false);
  const restored = await (await under.reopen()).load(TASK);
  expect(rows(restored.reader)).toEqual(['a=1', 'b=1']);
  expect(restored).toMatchObject({
    offsets: [{ next: 1 }],
    streamTimes: [{ step: '1', ms: 1 }],
    counters: [{ name: 'in', value: 1 }],
  });
  expect(await valuesFrom(under.log, 'out')).toEqual(['value 0', 'value 1']);
});

test('an append aborted at any of its requests leaves no record, and the same stamp is then accepted', async () => {
  await under.log.create(topicSpec('out'));
  const stamp = { id: `${under.now()}.writer`, epoch: 0, sequence: 0 };
  for (let n = 0; n < WRITES_OF_APPEND; n++) {
    const struck = strikeAfter(n, (transaction) => transaction.abort());
    await refused(under.log.append(OUT, recordBatch(['a', 'b']), stamp), 'UNAVAILABLE');
    vi.restoreAllMocks();
    expect(struck()).toBe(true);
    expect(await valuesFrom(under.log, 'out')).toEqual([]);
  }
  const struck = strikeAfter(WRITES_OF_APPEND, (transaction) => transaction.abort());
  const result = await under.log.append(OUT, recordBatch(['a', 'b']), stamp);
  vi.restoreAllMocks();
  expect(struck()).toBe(false);
  expect(result).toMatchObject({ base: 0, duplicate: false });
  expect(await valuesFrom(under.log, 'out')).toEqual(['a', 'b']);
});

test('a full disk is said to be one, and nothing of the commit stays', async () => {
  await under.log.create(topicSpec('out', 2));
  const { commit } = await under.store.load(TASK);
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  const error = await refused(under.store.commit(TASK, commitOf(commit, 0)), 'STORAGE_FULL');
  expect(error.message).toContain('full');
  vi.restoreAllMocks();
  expect(await under.store.reader(TASK)).toBeNull();
  expect(await valuesFrom(under.log, 'out')).toEqual([]);
  await under.store.commit(TASK, commitOf(commit, 0));
  expect(await valuesFrom(under.log, 'out')).toEqual(['value 0']);
});

test('a commit with one refused append delivers none of the others', async () => {
  await under.log.create(topicSpec('out'));
  const { commit } = await under.store.load(TASK);
  await refused(under.store.commit(TASK, commitOf(commit, 0)), 'UNKNOWN_PARTITION');
  expect(await under.store.reader(TASK)).toBeNull();
  expect(await valuesFrom(under.log, 'out')).toEqual([]);
});

test('appends that come at once share transactions, each judged by itself and in order', async () => {
  await under.log.create(topicSpec('out', 2));
  const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction');
  const outcomes = Array.from({ length: 60 }, (_, i) =>
    under.log
      .append(OUT, recordBatch([`value ${i}`]), undefined, i % 3 === 1 ? 'another' : undefined)
      .then(
        ({ base }) => base,
        (thrown: unknown) => (thrown instanceof PortError ? thrown.code : thrown),
      ),
  );
  const bases = await Promise.all(outcomes);
  // The first goes alone, since nothing waits with it yet; one is done again once what refuses has been fetched.
  expect(transactions.mock.calls.length).toBeLessThanOrEqual(4);
  expect(bases.filter((base) => base === 'INCARNATION_CHANGED').length).toBe(20);
  const kept = bases.filter((base) => typeof base === 'number');
  expect(kept).toEqual(kept.map((_, i) => i));
  const values = Array.from({ length: 60 }, (_, i) => `value ${i}`);
  expect(await valuesFrom(under.log, 'out')).toEqual(values.filter((_, i) => i % 3 !== 1));
});

test('a reader goes on showing the last commit while the next one is being written', async () => {
  await under.log.create(topicSpec('out', 2));
  const { commit, reader } = await under.store.load(TASK);
  await under.store.commit(TASK, commitOf(commit, 0));
  const writing = under.store.commit(TASK, commitOf(commit + 1, 1));
  expect(rows(reader)).toEqual(['a=0', 'b=0']);
  await writing;
  expect(rows(reader)).toEqual(['a=1', 'b=1']);
});

test('bytes are stored as long as they are, whatever buffer they are a view of', async () => {
  await under.log.create(topicSpec('out', 2));
  const { commit } = await under.store.load(TASK);
  const arena = new Uint8Array(1_000_000);
  arena.set(encodeUtf8('key'), 10);
  const batch = recordBatch(['a']);
  arena.set(batch, 100);
  await under.store.commit(TASK, {
    ...commitOf(commit, 0),
    changes: [{ table: '1', key: arena.subarray(10, 13), value: arena.subarray(10, 13) }],
    outbox: [{ to: OUT, sequence: 0, count: 1, bytes: arena.subarray(100, 100 + batch.length) }],
  });
  const [value] = await under.rows.getAll('state');
  const [segment] = await under.rows.getAll('segments');
  expect(value?.buffer.byteLength).toBeLessThan(40);
  expect(segment?.bytes.buffer.byteLength).toBe(batch.length);
  arena.fill(0);
  expect(rows(await under.store.reader(TASK))).toEqual(['key=key']);
});

test('a stored batch that was changed behind our back is found out when it is read', async () => {
  await under.log.create(topicSpec('out'));
  await under.log.append(OUT, recordBatch(['a']));
  const segment = await under.rows.get('segments', ['out', 0, 0]);
  if (segment === undefined) throw new Error('the batch is stored');
  segment.bytes[segment.bytes.length - 1] = (segment.bytes.at(-1) ?? 0) ^ 1;
  await under.rows.put('segments', segment, ['out', 0, 0]);
  const error = await refused(under.log.read(OUT, 0, 1 << 20), 'CORRUPT');
  expect(error.detail).toEqual({ topic: 'out', partition: 0, offset: 0 });
});

test('stored state that was changed behind our back is found out when the task is loaded', async () => {
  await under.log.create(topicSpec('out', 2));
  const { commit } = await under.store.load(TASK);
  await under.store.commit(TASK, commitOf(commit, 0));
  const [delta] = await under.rows.getAll('state');
  if (delta === undefined) throw new Error('the state is stored');
  delta[delta.length - 1] = (delta.at(-1) ?? 0) ^ 1;
  await under.rows.put('state', delta, [TASK, 0]);
  await refused((await under.reopen()).load(TASK), 'CORRUPT');
  const error = await refused((await under.reopen()).reader(TASK), 'CORRUPT');
  expect(error.message).toContain('checksum');
});

test('a task that another store has moved on is read again when it is taken over', async () => {
  await under.log.create(topicSpec('out', 2));
  const first = await under.store.load(TASK);
  await under.store.commit(TASK, commitOf(first.commit, 0));
  const other = await under.reopen();
  const second = await other.load(TASK);
  await other.commit(TASK, commitOf(second.commit, 1));
  await refused(under.store.commit(TASK, commitOf(first.commit + 1, 2)), 'FENCED');
  expect(rows(await under.store.reader(TASK))).toEqual(['a=1', 'b=1']);
  expect(rows((await under.store.load(TASK)).reader)).toEqual(['a=1', 'b=1']);
});

test('state beyond the limit is refused by name, at the limit it is kept', async () => {
  const entryBytes = OrderedMap.entryBytes(Uint8Array.of(1)) + 100;
  const small = await openIdb(2 * entryBytes);
  const value = new Uint8Array(100);
  const set = (key: number) => ({ table: '1', key: Uint8Array.of(key), value });
  const parts = { offsets: [], streamTimes: [], counters: [], outbox: [] };
  const { commit } = await small.store.load(TASK);
  await small.store.commit(TASK, { ...parts, after: commit, changes: [set(1), set(2)] });
  const error = await refused(
    small.store.commit(TASK, { ...parts, after: commit + 1, changes: [set(3)] }),
    'STORAGE_FULL',
  );
  expect(error.detail).toEqual({ limit: 'RESIDENT_STATE_BYTES_MAX' });
  await small.dispose();
});

test('a closed connection is a passing fault, for reads and writes alike', async () => {
  await under.log.create(topicSpec('out'));
  under.database.close();
  await refused(under.log.read(OUT, 0, 1), 'UNAVAILABLE');
  await refused(under.log.append(OUT, recordBatch(['a'])), 'UNAVAILABLE');
  const error = await refused(under.store.load(TASK), 'UNAVAILABLE');
  expect(error.message).toContain('IndexedDB failed at taking over a task');
});

test('names that are members of every object are names like any other', async () => {
  const name = '__proto__';
  await under.log.create(topicSpec(name));
  await under.log.append({ topic: name, partition: 0 }, recordBatch(['constructor']));
  const { commit } = await under.store.load(name);
  const changes = [
    { table: 'constructor', key: encodeUtf8(name), value: encodeUtf8('9007199254740993') },
  ];
  const parts = { offsets: [], streamTimes: [], counters: [], outbox: [] };
  await under.store.commit(name, { ...parts, after: commit, changes });
  const reader = await (await under.reopen()).reader(name);
  const value = reader?.get('constructor', encodeUtf8(name)) ?? new Uint8Array();
  expect(decodeUtf8(value)).toBe('9007199254740993');
  expect(await valuesFrom(under.log, name)).toEqual(['constructor']);
});
