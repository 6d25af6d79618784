// Calls of the catalog to other objects: repeated until they are acknowledged, in the order that they are to have.

import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { Effects } from '../../edge/objects/effects.ts';

test('a call of the catalog is repeated until it is acknowledged, those of one object in order', async () => {
  await runInDurableObject(env.CATALOG.get(env.CATALOG.newUniqueId()), async (_, { storage }) => {
    const sent: string[] = [];
    let refusals = 2;
    const effects = new Effects(storage.sql, {
      send: async (call) => {
        const { name } = call as { name: string };
        if (name === 'a1' && refusals-- > 0) throw new Error('not now');
        sent.push(name);
      },
      rounds: [[]],
    });
    storage.transactionSync(() =>
      effects.add([
        ['a', { name: 'a1' }],
        ['b', { name: 'b1' }],
        ['a', { name: 'a2' }],
      ]),
    );
    expect([await effects.flush(), await effects.flush(), await effects.flush()]).toEqual([
      false,
      false,
      true,
    ]);
    expect(sent).toEqual(['b1', 'a1', 'a2']);
    expect(effects.pending).toBe(0);
  });
});

test('calls of a later round wait for those of earlier ones, but for the order of their own object', async () => {
  await runInDurableObject(env.CATALOG.get(env.CATALOG.newUniqueId()), async (_, { storage }) => {
    const sent: string[] = [];
    const effects = new Effects(storage.sql, {
      send: async (call) => {
        const { effect, of } = call as { effect: string; of: string };
        if (of === 'slow') await scheduler.wait(20);
        sent.push(`${effect} ${of}`);
      },
      rounds: [['open'], ['start'], ['close']],
    });
    const calls = ['start task', 'open slow', 'open topic', 'close topic', 'close old', 'open old'];
    storage.transactionSync(() =>
      effects.add(
        calls.map((call) => {
          const [effect, of = ''] = call.split(' ');
          return [of, { effect, of }];
        }),
      ),
    );
    expect(await effects.flush()).toBe(true);
    expect(sent).toEqual([
      'open topic',
      'open slow',
      'start task',
      'close topic',
      'close old',
      'open old',
    ]);
  });
});

test('those that come while calls are sent wait for one more round together, which takes along what they have added', async () => {
  await runInDurableObject(env.CATALOG.get(env.CATALOG.newUniqueId()), async (_, { storage }) => {
    const sent: string[] = [];
    let tries = 0;
    const effects = new Effects(storage.sql, {
      send: async (call) => {
        const { name } = call as { name: string };
        if (name === 'away') {
          tries += 1;
          await scheduler.wait(5);
          throw new Error('it does not answer');
        }
        sent.push(name);
      },
      rounds: [[]],
    });
    const add = (name: string): void =>
      storage.transactionSync(() => effects.add([[name, { name }]]));
    add('away');
    const flushed = Array.from({ length: 20 }, async (_none, i) => {
      add(String(i));
      const isDone = await effects.flush();
      return [isDone, sent.includes(String(i))];
    });
    expect(await Promise.all(flushed)).toEqual(flushed.map(() => [false, true]));
    expect(sent).toHaveLength(20);
    expect(tries).toBe(2);
  });
});
