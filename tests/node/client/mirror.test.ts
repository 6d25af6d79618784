// The mirror of docs/offline.md in Chromium: without a network, over tabs that close, and of a table that is made again.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect } from '../../../runtime/client/index.ts';
import { findChromium, launchContext } from '../../support/chromium.ts';
import { ScriptSite } from '../../support/script-site.ts';
import { ROOT } from '../../support/source-files.ts';
import { Workerd } from '../../support/workerd.ts';

const executablePath = findChromium();
const TABLE = 'CREATE TABLE totals AS SELECT k, COUNT(*) AS c, SUM(n) AS t FROM s';
let workerd: Workerd;
let site: ScriptSite;
let context: BrowserContext;
let edge: Client;

/** The guide's code and the client, in `globalThis`. */
function script(): string {
  const guide = readFileSync(resolve(ROOT, 'docs/offline.md'), 'utf8');
  const [, code = ''] = /^```ts\n(.*?)^```/ms.exec(guide) ?? [];
  const use = "import { connect } from 'millrace/client';\nObject.assign(globalThis, { connect, ";
  return `${code}\n${use}follow, openMirror });`;
}

beforeAll(async () => {
  if (executablePath === null) return;
  site = await ScriptSite.start(script());
  context = await launchContext(executablePath);
  workerd = await Workerd.start('tests/workers/apps/pages.ts', { PAGES: site.origin });
  edge = connect({ url: workerd.url, token: 'key-of-a' });
  await edge.execute(
    `CREATE STREAM s (k STRING KEY, n INT) WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');`,
  );
  await edge.execute(`${TABLE} GROUP BY k;`);
});

afterAll(async () => {
  if (executablePath === null) return;
  await context.browser()?.close();
  site.stop();
  await workerd.stop();
});

interface Scope {
  connect: typeof connect;
  follow: (edge: Client, topic: string, signal: AbortSignal) => Promise<void>;
  openMirror: (topic: string) => Promise<{
    getAll: (store: 'rows') => Promise<string[]>;
    put: (store: 'rows', value: string, key: Uint8Array) => Promise<unknown>;
    close: () => void;
  }>;
  key: string;
  ended: string;
}

/** A tab that follows. */
async function opened(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.waitForFunction(() => 'follow' in globalThis);
  await follow(page, 'key-of-a');
  return page;
}

function follow(page: Page, key: string): Promise<void> {
  return page.evaluate(
    ([url, given]) => {
      const scope = globalThis as unknown as Scope;
      Object.assign(scope, { key: given, ended: '' });
      const client = scope.connect({ url, token: () => scope.key });
      scope.follow(client, 'TOTALS', new AbortController().signal).catch((thrown: unknown) => {
        scope.ended = String((thrown as { code?: string }).code);
      });
    },
    [workerd.url, key] as const,
  );
}

async function produce(from: number, count: number): Promise<void> {
  await using producer = edge.producer();
  const sent = Array.from({ length: count }, (_, i) =>
    producer.send('s', { key: `k${i % 7}`, value: `{"N": ${from + i}}` }),
  );
  await Promise.all(sent);
}

function rowsOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const mirror = await (globalThis as unknown as Scope).openMirror('TOTALS');
    const rows = await mirror.getAll('rows');
    mirror.close();
    return rows.toSorted();
  });
}

/** The mirror has what the table has. */
async function agrees(page: Page): Promise<void> {
  await expect
    .poll(() => rowsOf(page))
    .toEqual(
      (await (await edge.query('SELECT c, t FROM totals;')).all())
        .map(({ C, T }) => JSON.stringify({ C, T }))
        .toSorted(),
    );
}

/** As many records have been counted as were produced. */
async function counted(count: number): Promise<void> {
  const sum = async (): Promise<number> =>
    (await (await edge.query('SELECT c FROM totals;')).all()).reduce(
      (n, { C }) => n + Number(C),
      0,
    );
  await expect.poll(sum).toBe(count);
}

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'a mirror is read without a network, follows the table that is there, and goes on in another tab',
  async () => {
    const first = await opened();
    await produce(0, 50);
    await counted(50);
    await agrees(first);

    await context.setOffline(true);
    await produce(50, 50);
    await counted(100);
    expect(await rowsOf(first)).toHaveLength(7);
    await context.setOffline(false);
    await agrees(first);

    // Made again while nobody follows: there are more records in it than were read of the one before.
    const waiting = await opened();
    await context.setOffline(true);
    await edge.execute(`DROP TABLE totals DELETE TOPIC; ${TABLE} WHERE n > 20 GROUP BY k;`);
    await produce(100, 200);
    await counted(279);
    await first.close();
    await context.setOffline(false);
    await agrees(waiting);

    await waiting.evaluate(() => {
      (globalThis as unknown as Scope).key = 'one that has expired';
    });
    await produce(300, 10);
    await expect
      .poll(() => waiting.evaluate(() => (globalThis as unknown as Scope).ended))
      .toBe('UNAUTHORIZED');
    await follow(waiting, 'key-of-a');
    await counted(289);
    await agrees(waiting);
  },
);

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'a mirror that was away for longer than ends of rows stay begins anew, asleep or closed',
  async () => {
    for (const one of context.pages()) await one.close();
    await edge.execute(
      `DROP TABLE totals DELETE TOPIC; ${TABLE.replace(' AS', " WITH (CLEANUP_POLICY='compact') AS")} WHERE n >= 1000 GROUP BY k;`,
    );
    let page = await opened();
    await produce(1000, 20);
    await counted(20);
    await agrees(page);
    const { compacted, deleteRetentionMs } = await edge.topics.describe('TOTALS');
    expect(compacted).toBe(true);
    for (const isAsleep of [true, false]) {
      await page.evaluate(async () => {
        const mirror = await (globalThis as unknown as Scope).openMirror('TOTALS');
        await mirror.put('rows', 'a row whose end was missed', new Uint8Array([1]));
        mirror.close();
      });
      const later = (ms: number): void => {
        const { now } = Date;
        Date.now = () => now() + ms;
      };
      if (isAsleep) await page.evaluate(later, deleteRetentionMs + 1);
      else {
        await page.close();
        await context.addInitScript(later, 2 * (deleteRetentionMs + 1));
        page = await opened();
      }
      await produce(1020, 20);
      await counted(isAsleep ? 40 : 60);
      await agrees(page);
    }
  },
);
