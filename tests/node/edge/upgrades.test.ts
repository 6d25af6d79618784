// Versions of an application that take each other's place over the same storage while records come and are read: nothing is lost, nothing comes twice.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../runtime/client/index.ts';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import { fetchAll, send, until } from '../../support/edge-client.ts';
import { GateProxy } from '../../support/gate-proxy.ts';
import { Workerd } from '../../support/workerd.ts';

const app = (version: string): string => `tests/workers/apps/upgrade-${version}.ts`;

let edge: Workerd;
let gate: GateProxy;
beforeAll(async () => {
  edge = await Workerd.start(app('a'));
  gate = await GateProxy.start(() => edge.url);
});
afterAll(async () => {
  await gate.stop();
  await edge.stop();
});

const USERS = 7;
const GONE =
  'the code of the processor ECHOED is not here. Bring it along again and RESUME its query, which goes on where it was, or TERMINATE it.';
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

interface Queried {
  readonly id: string;
  readonly state: string;
  readonly tasks: readonly { readonly status: { readonly error: string | null } | null }[];
}

/** How a query stands, and what its tasks have ended with. */
async function standing(
  id: string,
): Promise<{ readonly state: string; readonly errors: string[] }> {
  const { body } = await send(edge, 'GET', '/queries');
  const found = (body as { queries: Queried[] }).queries.find((query) => query.id === id);
  if (found === undefined) throw new Error(`${id} is not there`);
  return { state: found.state, errors: found.tasks.flatMap(({ status }) => status?.error ?? []) };
}

const ended = (id: string) =>
  until(async () => {
    const found = await standing(id);
    return found.errors.length === 2 && found;
  });

async function execute(ksql: string): Promise<void> {
  const { status, text } = await send(edge, 'POST', '/ksql', { ksql });
  expect([status, text]).toEqual([200, text]);
}

/** Rows of a topic by user, in their order. */
async function byUser(topic: string): Promise<Map<string, Record<string, unknown>[]>> {
  const users = new Map<string, Record<string, unknown>[]>();
  for (const partition of [0, 1]) {
    for (const { key, value } of await fetchAll(edge, topic, partition)) {
      const user = decodeUtf8(key);
      const rows = users.get(user) ?? [];
      rows.push(JSON.parse(decodeUtf8(value)) as Record<string, unknown>);
      users.set(user, rows);
    }
  }
  return users;
}

/** A client that goes on sending and reading whatever version runs. */
class Load {
  readonly errors: unknown[] = [];
  /** What its consumer has read: the counts of each user. */
  readonly read = new Map<string, number[]>();
  /** How many of them each version has made. */
  readonly made = new Map<string, number>();
  sent = 0;
  #isOver = false;
  readonly #sending: Promise<void>;
  readonly #consumer;

  constructor(url: string) {
    const client = connect({ url });
    this.#consumer = client.consumer({ topic: 'alerts', from: 'earliest' });
    void this.#follow().catch((thrown: unknown) => this.errors.push(thrown));
    this.#sending = this.#send(client);
  }

  async #follow(): Promise<void> {
    for await (const { key, value } of this.#consumer) {
      const user = decodeUtf8(key ?? new Uint8Array(0));
      const text = decodeUtf8(value ?? new Uint8Array(0));
      const { N, VERSION } = JSON.parse(text) as { N: number; VERSION: string };
      this.read.set(user, [...(this.read.get(user) ?? []), N]);
      this.made.set(VERSION, (this.made.get(VERSION) ?? 0) + 1);
    }
  }

  async #send(client: ReturnType<typeof connect>): Promise<void> {
    const producer = client.producer();
    const acknowledged: Promise<unknown>[] = [];
    while (!this.#isOver) {
      const n = this.sent++;
      const record = { key: `u${n % USERS}`, value: JSON.stringify({ AMOUNT: n }) };
      const sending = producer.send('bets', record);
      acknowledged.push(sending.catch((thrown: unknown) => this.errors.push(thrown)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(acknowledged);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
  }

  async stop(): Promise<void> {
    await this.#consumer.close();
  }
}

/** What runs. */
let running = 'a';

/** Once the version that runs has made something, too: whoever sends may be waiting until it tries again. */
async function upgraded(version: string, signal: 'SIGTERM' | 'SIGKILL', load: Load): Promise<void> {
  const { sent } = load;
  const made = load.made.get(running) ?? 0;
  await until(async () => load.sent > sent + 150 && (load.made.get(running) ?? 0) > made);
  await edge.kill(signal);
  await edge.upgrade(app(version));
  running = version;
}

test('versions take each other\u2019s place under load, nothing is lost or comes twice, and what a version lacks goes on once it is back', async () => {
  await execute('SHOW STREAMS;');
  const load = new Load(gate.url);
  const told: string[] = [];
  // Statements of the code come with the first request.
  for (const [version, signal] of [
    ['b', 'SIGTERM'],
    ['a', 'SIGKILL'],
    ['b', 'SIGKILL'],
  ] as const) {
    await upgraded(version, signal, load);
    const { errors } = await ended('PROCESSOR_ECHOED_5');
    expect(errors[0]).toBe(GONE);
    told.push(edge.output);
  }
  expect(told[0]).toContain(`"reason":"${GONE}"`);
  await upgraded('a', 'SIGTERM', load);
  await execute('RESUME PROCESSOR_ECHOED_5;');
  await load.end();
  const { sent } = load;
  const of = (user: number): number => Math.ceil((sent - user) / USERS);
  const whole = new Map(
    Array.from({ length: USERS }, (_, user) => [`u${user}`, numbers(of(user))]),
  );
  await until(async () => [...load.read.values()].flat().length >= sent);
  expect(load.read).toEqual(whole);
  expect(load.errors).toEqual([]);
  await load.stop();
  const alerts = await byUser('alerts');
  const versions = [...alerts.values()].flatMap((rows) => rows.map(({ VERSION }) => VERSION));
  expect(new Set(versions)).toEqual(new Set(['a', 'b']));
  const sums = async (): Promise<unknown[]> => {
    const { text } = await send(edge, 'POST', '/query-stream', {
      sql: 'SELECT user, n FROM sums;',
    });
    return text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as unknown);
  };
  const counts = Array.from({ length: USERS }, (_, user) => [`u${user}`, of(user)]);
  // A table is not ordered, and may be a moment behind.
  const caughtUp = await until(async () => {
    const rows = new Set((await sums()).map((row) => JSON.stringify(row)));
    return counts.every((row) => rows.has(JSON.stringify(row))) && rows;
  });
  expect(caughtUp.size).toBe(USERS);
  const amounts = (least: number) =>
    Array.from({ length: sent - least }, (_, i) => least + i).sort((a, b) => a - b);
  for (const [topic, least] of [
    ['echoes', 0],
    ['LARGE', 100],
  ] as const) {
    const rows = await until(async () => {
      const found = [...(await byUser(topic)).values()].flat();
      return found.length >= sent - least && found;
    });
    expect(rows.map(({ AMOUNT }) => Number(AMOUNT)).sort((a, b) => a - b)).toEqual(amounts(least));
  }
});

test('another state is refused where it is declared, a changed statement serves nobody, and both say what to do; the version before them goes on', async () => {
  const bet = () =>
    send(edge, 'POST', '/topics/bets/records', {
      records: [
        { key: 'u0', value: { AMOUNT: 1 }, partition: 0 },
        { key: 'u0', value: { AMOUNT: 1 }, partition: 1 },
      ],
    });
  const counted = async (): Promise<number> => {
    const rows = [...(await byUser('alerts')).values()].flat();
    return rows.filter(({ VERSION }) => VERSION === 'b').length;
  };
  const before = await counted();
  // On SIGTERM it lets what is under way end first: 25 s here.
  await edge.kill('SIGKILL');
  await edge.upgrade(app('c'));
  expect((await bet()).status).toBe(200);
  const { errors } = await ended('PROCESSOR_TALLY_4');
  expect(errors[0]).toMatch(
    /^the state of the processor TALLY were .*COUNTS.* and are declared as .*TOTALS.*\. Declare it as before and RESUME its query, or give it another name/,
  );
  await edge.kill('SIGTERM');
  await edge.upgrade(app('d'));
  expect((await bet()).status).toBe(500);
  expect(edge.output).toMatch(
    /"event":"code-statement-failed".*SUMS.*a changed text is another statement; put changes behind it/,
  );
  await edge.kill('SIGKILL');
  await edge.upgrade(app('b'));
  expect((await standing('PROCESSOR_TALLY_4')).state).toBe('ERROR');
  await execute('RESUME PROCESSOR_TALLY_4;');
  await until(async () => (await counted()) >= before + 2);
  expect(await counted()).toBe(before + 2);
});
