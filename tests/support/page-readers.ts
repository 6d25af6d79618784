// Readers of every kind in a page, and what each has read and when; knows no fault.

import { expect } from 'vitest';
import type { Client } from '../../runtime/client/index.ts';
import type { ClientPage } from './client-page.ts';
import { LonePage } from './lone-page.ts';

type Reader = 'poll' | 'record socket' | 'sse' | 'query socket';

export interface Scope extends ClientPage {
  /** When each reader had which record, by Date.now(). */
  seen: Record<Reader, [n: number, atMs: number][]>;
  errors: string[];
  stop: () => Promise<void>;
  listeners: number;
  send: (n: number) => Promise<number>;
}

/** Reads a stream in every way, and has a producer. @param random what is drawn; null: as ever */
function read(page: LonePage, url: string, name: string, random: number | null): Promise<void> {
  return page.evaluate(
    async ([at, topic, drawn]) => {
      if (drawn !== null) Math.random = () => drawn;
      const scope = globalThis as unknown as Scope;
      scope.listeners = 0;
      const { addEventListener, removeEventListener } = globalThis;
      globalThis.addEventListener = (...given: Parameters<typeof addEventListener>) => {
        scope.listeners += 1;
        addEventListener.apply(globalThis, given);
      };
      globalThis.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
        scope.listeners -= 1;
        removeEventListener.apply(globalThis, given);
      };
      const client = scope.client.connect({ url: at, token: 'key-of-a' });
      const ended = new AbortController();
      const { signal } = ended;
      const begun = new Set<string>();
      const sql = `SELECT n FROM ${topic} EMIT CHANGES;`;
      scope.seen = { poll: [], 'record socket': [], sse: [], 'query socket': [] };
      scope.errors = [];
      const note = (reader: Reader, n: unknown) => scope.seen[reader].push([Number(n), Date.now()]);
      const valueOf = (value: Uint8Array | null) =>
        (JSON.parse(new TextDecoder().decode(value ?? new Uint8Array(0))) as { N: number }).N;
      const consumed = (['poll', 'socket'] as const).map(async (transport) => {
        const consumer = client.consumer({ topic, transport, signal });
        const reader = transport === 'poll' ? 'poll' : 'record socket';
        for await (const { value } of consumer) note(reader, valueOf(value));
      });
      const asked = (['sse', 'socket'] as const).map(async (transport) => {
        const rows = await client.query(sql, { transport, signal });
        begun.add(transport);
        const reader = transport === 'sse' ? 'sse' : 'query socket';
        for await (const { N } of rows) note(reader, N);
      });
      const all = [...consumed, ...asked].map((reading) =>
        reading.catch((thrown: unknown) => void scope.errors.push(String(thrown))),
      );
      // A query begins at the latest record.
      while (begun.size < 2) await new Promise((done) => setTimeout(done, 20));
      const producer = client.producer();
      scope.send = async (n) => {
        await producer.send(topic, { value: `{"N":${n}}` });
        return Date.now();
      };
      scope.stop = async () => {
        ended.abort();
        await Promise.all([...all, producer.close()]);
      };
    },
    [url, name, random] as const,
  );
}

const READERS: readonly Reader[] = ['poll', 'record socket', 'sse', 'query socket'];

/** Resolves when every reader has had the records up to this one, each once and in order. @returns when each had the last */
export async function all(page: LonePage, n: number): Promise<number[]> {
  const seen = await page.evaluate(async (last) => {
    const scope = globalThis as unknown as Scope;
    const rows = Object.values(scope.seen);
    while (scope.errors.length === 0 && !rows.every((one) => one.at(-1)?.[0] === last))
      await new Promise((done) => setTimeout(done, 20));
    if (scope.errors.length > 0) throw new Error(scope.errors.join());
    return scope.seen;
  }, n);
  const wanted = Array.from({ length: n + 1 }, (_, i) => i);
  for (const reader of READERS) expect(seen[reader].map(([one]) => one)).toEqual(wanted);
  return READERS.map((reader) => seen[reader].at(-1)?.[1] ?? 0);
}

/** A page with readers of a new stream, each of which has had record 0. */
export async function openReaders(of: {
  readonly executablePath: string;
  /** The page's address, and the edge's as the page has it. */
  readonly site: string;
  readonly url: string;
  readonly here: Client;
  readonly name: string;
  readonly random: number | null;
}): Promise<LonePage> {
  const { name } = of;
  await of.here.execute(
    `CREATE STREAM ${name} (n INT) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, VALUE_FORMAT='JSON');`,
  );
  const page = await LonePage.open(of.executablePath, of.site);
  while (!(await page.evaluate(() => 'client' in globalThis, null)));
  await read(page, of.url, name, of.random);
  await produceOne(of.here, name, 0);
  await all(page, 0);
  return page;
}

export async function produceOne(here: Client, topic: string, n: number): Promise<void> {
  await using producer = here.producer();
  await producer.send(topic, { value: `{"N":${n}}` });
}

/** Ends the readers. @returns the listeners that are left */
export async function left(page: LonePage): Promise<number> {
  const count = await page.evaluate(async () => {
    const scope = globalThis as unknown as Scope;
    await scope.stop();
    return scope.listeners;
  }, null);
  await page.close();
  return count;
}
