// Topics whose partitions are put back to an older state: whoever knows more is told, nothing is taken for something else, and tables are a recount of the logs.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../runtime/client/index.ts';
import {
  BetsEdge,
  isPartitionBehind,
  isPartitionOf,
  isTask,
  PARTITIONS,
} from '../../support/bets-edge.ts';
import { until } from '../../support/edge-client.ts';

let edge: BetsEdge;
beforeEach(async () => {
  edge = await BetsEdge.start();
});
afterEach(() => edge.stop());

describe('a topic that was put back', () => {
  test('is another one to consumers and mirrors, and takes nothing under the incarnation that it had', async () => {
    await edge.bet(40);
    using kept = await edge.backup();
    await edge.bet(40);
    const { incarnation } = await edge.described('bets');
    await edge.putBack(kept, isPartitionOf('bets'));
    await edge.restored({ topic: 'bets' });
    const now = await edge.described('bets');
    expect(now).toMatchObject({ bounds: [{ highWatermark: 20 }, { highWatermark: 20 }] });
    const records = [{ value: { GRP: 'x', AMOUNT: 1 } }];
    const old = { 'Topic-Incarnation': incarnation };
    expect(await edge.send('POST', '/topics/bets/records', { records }, old)).toMatchObject({
      status: 409,
      body: { code: 'INCARNATION_CHANGED', detail: { incarnation: now.incarnation } },
    });
    await edge.bet(60);
    for (const transport of ['poll', 'socket'] as const) {
      for (const from of [0, 30, 40, 45])
        expect(await edge.read({ from, incarnation }, transport)).toBe('INCARNATION_CHANGED');
      expect(await edge.read({ from: 30, incarnation: now.incarnation }, transport)).toBe(
        'read 30',
      );
    }
  });

  test('takes what producers send behind it, and nothing of theirs for a repeat', async () => {
    await using producer = connect({ url: edge.edge.url }).producer();
    const at = { partition: 0 };
    const text = (n: number) => JSON.stringify({ GRP: 'a', AMOUNT: n });
    for (let n = 0; n < 10; n++) await producer.send('bets', { value: text(n), ...at });
    const own = (seq: number): Record<string, string> => ({
      'Producer-Id': '1.own',
      'Producer-Epoch': '0',
      'Producer-Seq': String(seq),
    });
    const path = '/topics/bets/records';
    const one = (n: number) => ({ records: [{ value: { GRP: 'b', AMOUNT: n }, ...at }] });
    for (const seq of [0, 1, 2]) await edge.send('POST', path, one(seq), own(seq));
    using kept = await edge.backup();
    for (const seq of [3, 4]) await edge.send('POST', path, one(seq), own(seq));
    await edge.restored({ topic: 'bets' });
    await edge.putBack(kept, isPartitionOf('bets'));
    await edge.restored({ topic: 'bets' });
    expect(await edge.send('POST', path, one(5), own(5))).toMatchObject({
      status: 409,
      body: { code: 'OUT_OF_ORDER_SEQUENCE', detail: { expected: 3 } },
    });
    expect(await edge.send('POST', path, one(30), own(3))).toMatchObject({
      status: 200,
      body: { duplicate: false, offsets: [{ offset: 13 }] },
    });
    // The edge has another port since it began again: a client of its own goes on where that is, as one that was cut off.
    await using again = connect({ url: edge.edge.url }).producer();
    const { offset } = await again.send('bets', { value: text(10), ...at });
    expect(offset).toBe(14);
    const { incarnation } = await edge.described('bets');
    await edge.restored({ topic: 'bets' });
    expect((await edge.described('bets')).incarnation).not.toBe(incarnation);
    const refused = await again.send('bets', { value: text(11), ...at }).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(refused).toMatchObject({ code: 'INCARNATION_CHANGED' });
    expect(await again.send('bets', { value: text(12), ...at })).toMatchObject({
      offset: 15,
    });
  });

  test('tells those who wait for its next record', async () => {
    await edge.bet(20);
    const { incarnation } = await edge.described('bets');
    const waiting = ['poll', 'socket'].map((transport) =>
      edge.read({ from: 10, incarnation }, transport as 'poll' | 'socket'),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    await edge.restored({ topic: 'bets' });
    expect(await Promise.all(waiting)).toEqual(['INCARNATION_CHANGED', 'INCARNATION_CHANGED']);
  });

  test('ends the tasks that have read what it lost; put back to a time before, they go on', async () => {
    await edge.betSettled(40);
    using tasks = await edge.backup();
    await edge.betSettled(20);
    using logs = await edge.backup();
    await edge.betSettled(20);
    await edge.putBack(logs, isPartitionOf('bets'));
    await edge.restored({ topic: 'bets' });
    await until(async () => (await edge.errors()).length === PARTITIONS);
    for (const error of await edge.errors())
      expect(error).toMatch(/'bets' partition . was put back .* offset 40, .* from 30 on/);
    // What they wrote of the lost records goes too: all that was made since.
    await edge.putBack(logs, isPartitionBehind);
    await edge.putBack(tasks, isTask);
    await edge.restored({ topic: 'TOTALS' });
    await edge.betSettled(25);
  });

  test('and tasks put back with it, while what they write is not, is not taken for what was lost', async () => {
    await edge.betSettled(40);
    using tasks = await edge.backup();
    await edge.betSettled(20);
    using logs = await edge.backup();
    await edge.betSettled(20);
    await edge.putBack(logs, isPartitionOf('bets'));
    await edge.putBack(tasks, isTask);
    await edge.restored({ topic: 'bets' });
    // As many as were lost, and others.
    await edge.bet(20);
    for (const error of await edge.ended())
      expect(error).toMatch(
        /holds what this query has made of records that are not there any more/,
      );
    await edge.putBack(logs, isPartitionBehind);
    await edge.putBack(tasks, isTask);
    await edge.restored({ all: true });
    await edge.settled();
  });

  test('changes nothing for tasks that have not read beyond', async () => {
    await edge.betSettled(40);
    const before = await edge.rows();
    await edge.restored({ topic: 'bets' });
    await edge.settled();
    expect(await edge.rows()).toEqual(before);
    await edge.betSettled(20);
    expect(await edge.errors()).toEqual([]);
  });

  test('is found out by who has read further, though nobody has said so', async () => {
    await edge.betSettled(40);
    using kept = await edge.backup();
    await edge.betSettled(40);
    const { incarnation } = await edge.described('bets');
    await edge.putBack(kept, (name) => name === 'partition bets/0');
    await until(async () => (await edge.described('bets')).incarnation !== incarnation);
    expect(await edge.ended()).toMatchObject([
      expect.stringMatching(/'bets' partition 0 was put back .* offset 40, .* from 20 on/),
    ]);
    expect(await edge.read({ from: 10, incarnation }, 'poll')).toBe('INCARNATION_CHANGED');
    // The other partition has lost nothing.
    await edge.send('POST', '/topics/bets/records', {
      records: [{ value: { GRP: 'other', AMOUNT: 1 }, partition: 1 }],
    });
    await until(async () => JSON.stringify(await edge.rows()).includes('["other",1,1]'));
    expect(await edge.errors()).toHaveLength(1);
  });

  test('is found out by who has written more', async () => {
    await edge.betSettled(40);
    using kept = await edge.backup();
    await edge.betSettled(40);
    const { incarnation } = await edge.described('TOTALS');
    await edge.putBack(kept, isPartitionOf('TOTALS'));
    await edge.bet(20);
    for (const error of await edge.ended())
      expect(error).toMatch(/^'TOTALS' . has lost records of this task/);
    expect((await edge.described('TOTALS')).incarnation).not.toBe(incarnation);
  });

  test('and has not heard of its incarnation yet, takes nothing before it has', async () => {
    await edge.betSettled(20);
    using kept = await edge.backup();
    await edge.betSettled(20);
    await edge.restored({ topic: 'bets' });
    const announced = (await edge.described('bets')).incarnation;
    await edge.putBack(kept, isPartitionOf('bets'));
    await edge.bet(2);
    const { incarnation } = await edge.described('bets');
    expect(incarnation).not.toBe(announced);
    const path = '/topics/bets/partitions/0/records?offset=10&incarnation=';
    expect(await edge.send('GET', path + announced)).toMatchObject({ status: 409 });
    expect(await edge.send('GET', path + incarnation)).toMatchObject({
      status: 200,
      body: { records: [{ offset: 10, value: { AMOUNT: 40 } }] },
    });
  });

  test('between the tasks of a query, ends the one that has read further', async () => {
    await edge.betSettled(40);
    using kept = await edge.backup();
    await edge.betSettled(40);
    await edge.putBack(
      kept,
      (name) => /repartition|partition __/.test(name) && name.startsWith('partition'),
    );
    await edge.bet(20);
    expect((await edge.ended()).join()).toMatch(/was put back|has lost records/);
    // Put back together with what it is between, all of it is made again.
    await edge.putBack(kept, (name) => name !== 'catalog' && !isPartitionOf('bets')(name));
    await edge.restored({ all: true });
    await edge.settled();
  });
});
