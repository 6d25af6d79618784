// Group commit: appends that wait share a transaction, each is judged by itself, and no more wait than may.

import { expect, test } from 'vitest';
import { type Append, AppendQueue } from '../../../edge/objects/append-queue.ts';
import { PortError } from '../../../runtime/base/errors.ts';
import { APPENDS_WAITING_BYTES_MAX, APPENDS_WAITING_MAX } from '../../../runtime/base/limits.ts';

/** A log whose records are the first bytes of its appends: 255 is refused, 254 breaks the storage. */
class Fake {
  records: number[] = [];
  readonly transactions: number[][] = [];
  woken = 0;
  rounds = 0;
  /** What happens in the round in which a group is gathered. */
  arrived = async (): Promise<void> => {
    this.rounds += 1;
  };
  #durable: (() => void)[] = [];
  readonly queue = new AppendQueue({
    append: ({ bytes }) => {
      const [record = 0] = bytes;
      if (record === 255) throw new PortError('INVALID_BATCH', 'refused');
      this.records.push(record);
      if (record === 254) throw new Error('SQLITE_FULL');
      const base = this.records.length - 1;
      return {
        base,
        count: 1,
        duplicate: record === 253,
        highWatermark: base + 1,
        incarnation: '',
      };
    },
    transaction: (body) => {
      const before = [...this.records];
      try {
        body();
        this.transactions.push(this.records.slice(before.length));
      } catch (thrown) {
        this.records = before;
        throw thrown;
      }
    },
    onAppended: () => {
      this.woken += 1;
    },
    durable: () => new Promise((resolve) => this.#durable.push(resolve)),
    arrived: () => this.arrived(),
  });

  /** The transaction before has reached the disk. */
  async sync(): Promise<void> {
    for (const resolve of this.#durable.splice(0)) resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const append = (record: number, lengthBytes = 1): Append => {
  const bytes = new Uint8Array(lengthBytes);
  bytes[0] = record;
  return { bytes, stamp: null, incarnation: null };
};

test('those of one call share a transaction; those that come before it is durable share the next, in their order', async () => {
  const fake = new Fake();
  const first = fake.queue.addAll([append(1), append(2), append(3)]);
  expect(fake.transactions).toEqual([[1, 2, 3]]);
  expect(await Promise.all(first)).toMatchObject([0, 1, 2].map((base) => ({ value: { base } })));
  const others = [4, 5].map((record) => fake.queue.add(append(record)));
  expect(fake.transactions).toEqual([[1, 2, 3]]);
  await fake.sync();
  expect((await Promise.all(others)).map((answer) => answer.ok && answer.value.base)).toEqual([
    3, 4,
  ]);
  expect(fake.transactions).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect(fake.woken).toBe(2);
});

test('one that comes alone waits for nobody; once several calls have shared a transaction, what is on its way is waited for in a bounded number of rounds', async () => {
  const fake = new Fake();
  for (const record of [1, 1]) {
    await fake.queue.add(append(record));
    await fake.sync();
  }
  const [first, ...others] = [1, 2, 3].map((record) => fake.queue.add(append(record)));
  await first;
  await fake.sync();
  await Promise.all(others);
  expect(fake.rounds).toBe(0);
  expect(fake.transactions).toEqual([[1], [1], [1], [2, 3]]);
  await fake.sync();
  fake.arrived = async () => {
    fake.rounds += 1;
    void fake.queue.add(append(2));
  };
  await fake.queue.add(append(1));
  expect(fake.rounds).toBe(8);
  expect(fake.transactions.at(-1)).toEqual([1, ...Array.from({ length: 8 }, () => 2)]);
});

test('one that is refused takes no other along', async () => {
  const fake = new Fake();
  const answers = [1, 2, 255, 3].map((record) => fake.queue.add(append(record)));
  await fake.sync();
  expect((await Promise.all(answers)).map(({ ok }) => ok)).toEqual([true, true, false, true]);
  expect(fake.records).toEqual([1, 2, 3]);
});

test('one that the storage refuses takes no other along, and leaves nothing', async () => {
  const fake = new Fake();
  const answers = [1, 2, 254, 3].map((record) => fake.queue.add(append(record)));
  await fake.sync();
  const done = await Promise.all(answers);
  expect(done.map(({ ok }) => ok)).toEqual([true, true, false, true]);
  expect(done[2]).toMatchObject({ error: { code: 'STORAGE_FULL' } });
  expect(fake.records).toEqual([1, 2, 3]);
  expect(fake.transactions).toEqual([[1], [2], [3]]);
});

test('a group of nothing but repeats wakes nobody', async () => {
  const fake = new Fake();
  await fake.queue.add(append(253));
  expect(fake.woken).toBe(0);
});

test('as many wait as may; one more is refused and changes nothing', async () => {
  const fake = new Fake();
  await fake.queue.add(append(0));
  const waiting = Array.from({ length: APPENDS_WAITING_MAX }, () => fake.queue.add(append(1)));
  expect(await fake.queue.add(append(2))).toMatchObject({
    ok: false,
    error: { code: 'OVERLOADED' },
  });
  await fake.sync();
  expect((await Promise.all(waiting)).every(({ ok }) => ok)).toBe(true);
  expect(fake.records).toHaveLength(APPENDS_WAITING_MAX + 1);
});

test('as many bytes wait as may, and one append of any size where nothing else does', async () => {
  const fake = new Fake();
  await fake.queue.add(append(0));
  const half = APPENDS_WAITING_BYTES_MAX / 2;
  const waiting = [half, half].map((lengthBytes) => fake.queue.add(append(1, lengthBytes)));
  expect(await fake.queue.add(append(2))).toMatchObject({
    ok: false,
    error: { code: 'OVERLOADED' },
  });
  await fake.sync();
  expect((await Promise.all(waiting)).every(({ ok }) => ok)).toBe(true);
});
