// Sockets of a relay hibernate: the object goes, its sockets and all that they were promised stay; stalled ones are closed by the alarm.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, test, vi } from 'vitest';
import { RemoteLog } from '../../edge/adapters/remote-log.ts';
import { partitionAt } from '../../edge/env.ts';
import { partitionName, relayName } from '../../edge/names.ts';
import { unwrap } from '../../edge/wire.ts';
import { existing } from '../../runtime/base/assert.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import {
  OBJECTS_ASKED_MAX,
  RELAY_SOCKETS_MAX,
  SOCKET_IDLE_MS,
  SOCKET_STALL_MS,
  SOCKET_SUBSCRIPTIONS_MAX,
} from '../../runtime/base/limits.ts';
import { singleRecord } from '../../runtime/data/record-builder.ts';
import { until } from './objects.ts';

/** A relay of a tenant of its own, and a topic `t`. */
class Fixture {
  readonly tenant: string;
  readonly log: RemoteLog;
  readonly relay: DurableObjectStub;
  readonly #name: string;

  private constructor(tenant: string) {
    this.tenant = tenant;
    this.log = new RemoteLog({ env, tenant });
    this.#name = relayName(tenant, 0);
    this.relay = env.RELAY.get(env.RELAY.idFromName(this.#name));
  }

  static async make(tenant: string): Promise<Fixture> {
    const made = new Fixture(tenant);
    const spec = { name: 't', partitions: 1, retentionMs: null, compacted: false, internal: false };
    await made.log.create(spec);
    return made;
  }

  async append(text: string): Promise<void> {
    await this.log.append({ topic: 't', partition: 0 }, singleRecord(null, encodeUtf8(text), 0));
  }

  async open(): Promise<WebSocket | null> {
    const path = [this.tenant, this.#name].map(encodeURIComponent).join('/');
    const { webSocket } = await this.relay.fetch(`https://relay/${path}`, {
      headers: { Upgrade: 'websocket' },
    });
    webSocket?.accept();
    return webSocket;
  }

  /** A socket with one subscription, and what comes on it. */
  async subscribed(credit: number): Promise<Inbox> {
    const ws = await this.open();
    if (ws === null) throw new Error('the relay has room');
    const inbox = new Inbox(ws);
    ws.send(
      JSON.stringify({ op: 'subscribe', id: 1, topic: 't', partition: 0, offset: 0, credit }),
    );
    await inbox.until(() => inbox.texts.length > 0);
    return inbox;
  }
}

class Inbox {
  readonly ws: WebSocket;
  readonly texts: string[] = [];
  /** Offsets behind the last record of each frame. */
  readonly ends: number[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.texts.push(data);
      else {
        const view = new DataView(data as ArrayBuffer);
        this.ends.push(view.getFloat64(16, true) + view.getUint32(24, true));
      }
    });
    ws.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason };
    });
  }

  until(holds: () => boolean): Promise<void> {
    return until(holds, () => `${this.texts.join()} ${this.ends.join()}`);
  }
}

/** How often the object of a relay has begun: an instance has marks of its own. */
async function isMarked(relay: DurableObjectStub, mark: boolean): Promise<boolean> {
  return runInDurableObject(relay, (instance) => {
    const marked = instance as unknown as { mark?: boolean };
    const was = marked.mark === true;
    marked.mark = mark;
    return was;
  });
}

test('an evicted relay keeps its sockets, their place and their credit', async () => {
  const made = await Fixture.make('hibernates');
  const inbox = await made.subscribed(4_000);
  await made.append('1');
  await inbox.until(() => inbox.ends.length === 1);
  for (let round = 2; round < 6; round++) {
    await isMarked(made.relay, true);
    await evictDurableObject(made.relay);
    expect(await isMarked(made.relay, false)).toBe(false);
    const held = await runInDurableObject(made.relay, (_, state) => state.getWebSockets().length);
    expect(held).toBe(1);
    // Nothing but the append wakes it.
    await evictDurableObject(made.relay);
    await made.append(String(round));
    await inbox.until(() => inbox.ends.length === round);
  }
  expect(inbox.ends).toEqual([1, 2, 3, 4, 5]);
  expect(inbox.closed).toBeNull();
});

test('a relay that goes right after it has sent to many keeps the place of each', async () => {
  const made = await Fixture.make('many');
  const inboxes: Inbox[] = [];
  for (let i = 0; i < 40; i++) inboxes.push(await made.subscribed(4_000));
  for (let round = 1; round < 4; round++) {
    await made.append(String(round));
    await inboxes[0]?.until(() => inboxes[0]?.ends.length === round);
    await evictDurableObject(made.relay);
  }
  for (const inbox of inboxes) {
    await inbox.until(() => inbox.ends.length >= 3);
    expect(inbox.ends).toEqual([1, 2, 3]);
  }
});

test('credit that was used before stays used after the relay begins again', async () => {
  const made = await Fixture.make('credit');
  await made.append('1');
  const inbox = await made.subscribed(150);
  await inbox.until(() => inbox.ends.length === 1);
  await evictDurableObject(made.relay);
  await made.append('2');
  await inbox.until(() => inbox.texts.length === 2);
  expect(JSON.parse(inbox.texts[1] ?? '')).toMatchObject({ op: 'waiting', id: 1, next: 1 });
  await evictDurableObject(made.relay);
  inbox.ws.send(JSON.stringify({ op: 'credit', id: 1, bytes: 150 }));
  await inbox.until(() => inbox.ends.length === 2);
  expect(inbox.ends).toEqual([1, 2]);
});

test('records that wait too long for credit close their socket, with the place to go on from', async () => {
  const made = await Fixture.make('stalls');
  await made.append('1');
  const [stalled, other] = [await made.subscribed(0), await made.subscribed(4_000)];
  await stalled.until(() => stalled.texts.length === 2);
  const atMs = await runInDurableObject(made.relay, (_, { storage }) => storage.getAlarm());
  expect(atMs).toBeLessThanOrEqual(Date.now() + SOCKET_STALL_MS);
  // The alarm of too early a moment closes nobody.
  expect(await runDurableObjectAlarm(made.relay)).toBe(true);
  expect(stalled.closed).toBeNull();
  const now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now + SOCKET_STALL_MS);
  try {
    expect(await runDurableObjectAlarm(made.relay)).toBe(true);
  } finally {
    vi.restoreAllMocks();
  }
  await stalled.until(() => stalled.closed !== null);
  expect(stalled.closed).toEqual({ code: 1013, reason: '{"id":1,"next":0}' });
  await made.append('2');
  await other.until(() => other.ends.length === 2);
});

test('a partition that has forgotten its relay is found by the sweep', async () => {
  const made = await Fixture.make('sweeps');
  const inbox = await made.subscribed(4_000);
  const partition = partitionAt(env, made.tenant, { topic: 't', partition: 0 });
  await unwrap(partition.unsubscribe(relayName(made.tenant, 0)));
  await made.append('1');
  await scheduler.wait(100);
  expect(inbox.ends).toEqual([]);
  expect(await runDurableObjectAlarm(made.relay)).toBe(true);
  await inbox.until(() => inbox.ends.length === 1);
  await made.append('2');
  await inbox.until(() => inbox.ends.length === 2);
});

test('a partition that has forgotten its relay and does not take it back at once is asked again soon', async () => {
  const made = await Fixture.make('sweeps-again');
  const inbox = await made.subscribed(4_000);
  const partition = partitionAt(env, made.tenant, { topic: 't', partition: 0 });
  await unwrap(partition.unsubscribe(relayName(made.tenant, 0)));
  await runInDurableObject(made.relay, async (object) => {
    const relay = object as unknown as { env: object; alarm(): Promise<void> };
    const own = relay.env;
    const subscribe = () => Promise.reject(new Error('no answer'));
    const namespace = { idFromName: (name: string) => name, get: () => ({ subscribe }) };
    relay.env = { ...own, PARTITION: namespace };
    await relay.alarm();
    relay.env = own;
  });
  // What it has read meanwhile shows no more: nobody tells it of this one.
  await made.append('1');
  await inbox.until(() => inbox.ends.length === 1);
  expect(inbox.closed).toBeNull();
});

test('a relay that nobody watches through is forgotten by its partition', async () => {
  const made = await Fixture.make('leaves');
  const inbox = await made.subscribed(4_000);
  inbox.ws.close(1000, 'done');
  const partition = env.PARTITION.get(env.PARTITION.idFromName(`t:${made.tenant}:partition:t/0`));
  const names = () =>
    runInDurableObject(partition, (_, { storage }) =>
      storage.sql.exec('SELECT name FROM subscriber').toArray(),
    );
  // With the first record of which the relay is told once it has heard that the socket is closed.
  await expect
    .poll(async () => {
      await made.append('1');
      return names();
    })
    .toEqual([]);
});

test('a relay has as many sockets as may be, and no more', async () => {
  const made = await Fixture.make('full');
  for (let i = 0; i < RELAY_SOCKETS_MAX; i++) expect(await made.open()).not.toBeNull();
  expect(await made.open()).toBeNull();
});

test('a full relay makes room where sockets have asked for nothing for long, and closes no other', async () => {
  const made = await Fixture.make('idle');
  const subscribed = await made.subscribed(1_000);
  const pinging = new Inbox(existing((await made.open()) ?? undefined, 'place'));
  const idle = new Inbox(existing((await made.open()) ?? undefined, 'place'));
  for (let i = 3; i < RELAY_SOCKETS_MAX; i++) expect(await made.open()).not.toBeNull();
  const beganMs = Date.now();
  // The time of pings is the platform's, which has no other clock.
  await scheduler.wait(20);
  pinging.ws.send('ping');
  await pinging.until(() => pinging.texts.includes('pong'));
  await evictDurableObject(made.relay);
  const clock = vi.spyOn(Date, 'now').mockReturnValue(beganMs + SOCKET_IDLE_MS + 10);
  try {
    expect(await made.open()).not.toBeNull();
  } finally {
    clock.mockRestore();
  }
  await idle.until(() => idle.closed !== null);
  expect(idle.closed?.code).toBe(1001);
  expect([subscribed.closed, pinging.closed]).toEqual([null, null]);
  for (let i = 0; i < RELAY_SOCKETS_MAX - 3; i++) expect(await made.open()).not.toBeNull();
  expect(await made.open()).toBeNull();
});

test('a partition that does not answer the sweep of its relay holds up no other, and no sweep asks many at once', async () => {
  const made = await Fixture.make('swept');
  const partitions = SOCKET_SUBSCRIPTIONS_MAX - 1;
  const spec = { name: 'wide', partitions, retentionMs: null, compacted: false, internal: false };
  await made.log.create(spec);
  const inbox = await made.subscribed(4_000);
  for (let partition = 0; partition < partitions; partition++)
    inbox.ws.send(
      JSON.stringify({
        op: 'subscribe',
        id: 2 + partition,
        topic: 'wide',
        partition,
        offset: 0,
        credit: 1_000,
      }),
    );
  await inbox.until(() => inbox.texts.length === 1 + partitions);
  const asked = new Set<string>();
  const slow = Promise.withResolvers<void>();
  let [underWay, most] = [0, 0];
  const first = partitionName(made.tenant, { topic: 't', partition: 0 });
  const namespace = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      subscribe: async () => {
        asked.add(name);
        most = Math.max(most, (underWay += 1));
        await (name === first ? slow.promise : scheduler.wait(1));
        underWay -= 1;
        return { ok: true, value: null };
      },
    }),
  };
  await runInDurableObject(made.relay, async (object) => {
    const relay = object as unknown as { env: object; alarm(): Promise<void> };
    const own = relay.env;
    relay.env = { ...own, PARTITION: namespace };
    const sweeping = relay.alarm();
    await inbox.until(() => asked.size === 1 + partitions);
    slow.resolve();
    await sweeping;
    relay.env = own;
  });
  expect(most).toBe(OBJECTS_ASKED_MAX);
});
