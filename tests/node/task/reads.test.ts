// What tasks read of their logs and when they commit: what was read to its end only once they are woken; ahead, while they commit, where a read is a call.

import { expect, test } from 'vitest';
import { PortError } from '../../../runtime/base/errors.ts';
import { type Engine, openEngine } from '../../../runtime/engine/engine.ts';
import { memoryHost } from '../../../runtime/memory/memory-host.ts';
import type { Fetched, Log } from '../../../runtime/ports/log.ts';
import type { Store } from '../../../runtime/ports/store.ts';

const STATEMENTS = `CREATE STREAM s (k STRING KEY, v STRING)
    WITH (KAFKA_TOPIC='s', PARTITIONS=1, VALUE_FORMAT='JSON');
  CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;`;

/** An engine over a log like that, whose reads of `s` and whose commits are noted in their order. */
async function made(kind: Pick<Log, 'isRemote' | 'isAppending'> = { isRemote: true }) {
  // At hand, but for the first one, no commit is due because time has passed.
  const commitIntervalMs = kind.isRemote === true ? 0 : 3_600_000;
  const host = memoryHost({ commitIntervalMs });
  const noted: string[] = [];
  const hooks = { read: async (fetched: Fetched): Promise<Fetched> => fetched };
  const log = over<Log>(host.log, {
    ...kind,
    read: async (...given: Parameters<Log['read']>) => {
      if (given[0].topic !== 's') return host.log.read(...given);
      noted.push(`read ${given[1]}`);
      return hooks.read(await host.log.read(...given));
    },
  });
  const store = over<Store>(host.store, {
    commit: (...given: Parameters<Store['commit']>) => {
      if (given[1].outbox.length > 0) noted.push('commit');
      return host.store.commit(...given);
    },
  });
  const engine = await openEngine({ host: { ...host, log, store } });
  await engine.execute(STATEMENTS);
  await engine.idle();
  return { engine, noted, hooks };
}

/** An object with some of its members replaced. */
function over<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get(target, key) {
      if (key in members) return members[key as keyof T];
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function counted(engine: Engine): Promise<unknown> {
  await engine.idle();
  return (await engine.query("SELECT n FROM t WHERE k = 'a';")).all();
}

test('what was read to its end is read again only once there is more', async () => {
  const { engine, noted } = await made();
  await using _ = engine;
  await engine.insert('s', { k: 'a', v: '' });
  expect(await counted(engine)).toEqual([{ N: 1 }]);
  const before = noted.length;
  expect(await counted(engine)).toEqual([{ N: 1 }]);
  expect(noted.slice(before)).toEqual([]);
  await engine.insert('s', { k: 'a', v: '' });
  expect(await counted(engine)).toEqual([{ N: 2 }]);
  expect(noted.slice(before)).toEqual(['read 1', 'commit']);
});

test('over a log at hand too, each record is read once and committed at once', async () => {
  const { engine, noted } = await made({});
  await using _ = engine;
  for (let n = 0; n < 3; n++) {
    const before = noted.length;
    await engine.insert('s', { k: 'a', v: '' });
    expect(await counted(engine)).toEqual([{ N: n + 1 }]);
    expect(noted.slice(before)).toEqual([`read ${n}`, 'commit']);
  }
});

test('while appends are under way a commit waits for one read more, for what they bring', async () => {
  const { engine, noted, hooks } = await made({ isAppending: true });
  await using _ = engine;
  await engine.insert('s', { k: 'a', v: '' });
  expect(await counted(engine)).toEqual([{ N: 1 }]);
  let left = 1;
  hooks.read = async (fetched) => {
    if (left-- > 0) await engine.insert('s', { k: 'a', v: '' });
    return fetched;
  };
  const before = noted.length;
  await engine.insert('s', { k: 'a', v: '' });
  expect(await counted(engine)).toEqual([{ N: 3 }]);
  expect(noted.slice(before)).toEqual(['read 1', 'read 2', 'read 3', 'commit']);
});

test.each([{ isRemote: true }, {}])(
  'a record that comes while the end is being read is not overlooked: %o',
  async (kind) => {
    const { engine, hooks } = await made(kind);
    await using _ = engine;
    let left = 3;
    hooks.read = async (fetched) => {
      if (left-- > 0) await engine.insert('s', { k: 'a', v: '' });
      return fetched;
    };
    await engine.insert('s', { k: 'a', v: '' });
    expect(await counted(engine)).toEqual([{ N: 4 }]);
  },
);

test('the next read begins before the commit, and one that fails is made again', async () => {
  const { engine, noted, hooks } = await made();
  await using _ = engine;
  const from = noted.length;
  let failures = 1;
  hooks.read = async (fetched) => {
    if (fetched.batches[0]?.base === 1 && failures-- > 0)
      throw new PortError('UNAVAILABLE', 'no answer');
    return fetched;
  };
  const v = 'x'.repeat(600_000);
  await Promise.all([0, 1, 2].map(() => engine.insert('s', { k: 'a', v })));
  expect(await counted(engine)).toEqual([{ N: 3 }]);
  expect(noted.slice(from).join(', ')).toBe(
    'read 0, read 1, commit, read 1, read 2, commit, commit',
  );
});
