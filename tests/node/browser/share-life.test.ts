// Tabs that share an engine and are frozen, left for another page and come back to, closed and ended by the system: what they show is right in the end.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../../support/chromium.ts';
import { draws } from '../../support/draws.ts';
import { LonePage } from '../../support/lone-page.ts';
import type { ScriptSite } from '../../support/script-site.ts';
import { sharedSite, type TabScope } from '../../support/shared-tabs.ts';
import { ROOT } from '../../support/source-files.ts';

const executablePath = findChromium();
const ROUNDS = Number(process.env['ROUNDS'] ?? 10);
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** What a call takes that finds no leader, on a busy machine; a frozen one would be waited for on and on. */
const TAKE_OVER_MS = 20_000;
let site: ScriptSite;
let first: LonePage;
const acknowledged: string[] = [];

const STATEMENTS = `CREATE STREAM s (k VARCHAR KEY, n BIGINT) WITH (kafka_topic='s', value_format='json', partitions=2);
  CREATE TABLE t AS SELECT k, COUNT(*) AS c FROM s GROUP BY k;`;

interface Scope extends TabScope {
  /** Opens a database, makes what is in it, and shows both as docs/pages.md does, in `table` and `stream`. */
  begin: (database: string, statements: string) => Promise<void>;
  table: [string, number][];
  stream: string[];
  /** Resolves when the page writes no more. */
  written: Promise<void>;
  /** What was thrown by what shows and writes. */
  faults: string[];
  /** What the browser said to the page. */
  life: string[];
}

/** The guide's code, and what tests ask of it. */
function script(): string {
  const guide = readFileSync(resolve(ROOT, 'docs/pages.md'), 'utf8');
  const [code = ''] = [...guide.matchAll(/^```ts\n(.*?)^```/gms)]
    .map(([, text = '']) => text)
    .filter((text) => text.includes('readStream'));
  return `
    ${code}
    const signal = new AbortController().signal;
    const scope = Object.assign(globalThis, {
      table: [], stream: [], faults: [], life: [],
      begin: async (database, statements) => {
        await scope.open({ database, isShared: true });
        if (statements !== '') await scope.engine.execute(statements);
        const failed = (thrown) => scope.faults.push(String(thrown));
        const watched = { db: scope.engine, signal };
        showTable(watched, 't', (rows) => {
          scope.table = [...rows].map(([k, { C }]) => [k, C]);
        }).catch(failed);
        readStream(watched, 's', ({ K }) => scope.stream.push(K)).catch(failed);
      },
    });
    addEventListener('pageshow', ({ persisted }) => persisted && scope.life.push('back'));
    for (const name of ['freeze', 'resume']) document.addEventListener(name, () => scope.life.push(name));
  `;
}

beforeAll(async () => {
  if (executablePath === null) return;
  site = await sharedSite(script());
  first = await LonePage.open(executablePath, site.origin);
});

afterAll(async () => {
  if (executablePath === null) return;
  await first.close();
  site.stop();
});

/** A tab that shows what is in the database. */
async function opened(database: string, statements = ''): Promise<LonePage> {
  const page = await first.beside('about:blank');
  await page.expose('acknowledged', (id) => acknowledged.push(id));
  await page.goTo(site.origin);
  await begun(page, database, statements);
  return page;
}

async function begun(page: LonePage, database: string, statements = ''): Promise<void> {
  await expect.poll(() => page.evaluate(() => 'begin' in globalThis, null)).toBe(true);
  await page.evaluate(
    ([database, statements]) => (globalThis as unknown as Scope).begin(database, statements),
    [database, statements] as const,
  );
}

function insert(page: LonePage, ...keys: string[]): Promise<void> {
  return page.evaluate(async (keys) => {
    for (const k of keys) await (globalThis as unknown as Scope).engine.insert('s', { k, n: 1 });
  }, keys);
}

/** Goes to another page of the site. */
async function left(page: LonePage): Promise<void> {
  await page.goTo(`${site.origin}/next`);
  const path = () => page.evaluate(() => location.pathname, null).catch(() => '');
  await expect.poll(path).toBe('/next');
}

/** How long a call takes that is asked again by itself. */
function answerMs(page: LonePage): Promise<number> {
  return page.evaluate(async () => {
    const begunMs = performance.now();
    await (globalThis as unknown as Scope).engine.idle();
    return performance.now() - begunMs;
  }, null);
}

/** What a page shows in the end: each key once, in the stream and in the table. */
async function expectShown(page: LonePage, keys: readonly string[]): Promise<void> {
  const shown = async () => {
    const { table, stream, faults } = await page.evaluate(() => {
      const { table, stream, faults } = globalThis as unknown as Scope;
      return { table, stream, faults };
    }, null);
    return { table: Object.fromEntries(table), stream: stream.toSorted(), faults };
  };
  await expect.poll(shown).toEqual({
    table: Object.fromEntries(keys.map((key) => [key, 1])),
    stream: keys.toSorted(),
    faults: [],
  });
}

function lifeOf(page: LonePage): Promise<string[]> {
  return page.evaluate(() => (globalThis as unknown as Scope).life, null);
}

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('in tabs', () => {
  test('a tab that leads and is frozen has let go: another one leads at once, and it follows when it goes on', async () => {
    const leading = await opened('frozen', STATEMENTS);
    const other = await opened('frozen');
    await insert(leading, 'a');
    await leading.freeze();
    expect(await answerMs(other)).toBeLessThan(TAKE_OVER_MS);
    await insert(other, 'b');
    const third = await opened('frozen');
    await leading.thaw();
    await insert(leading, 'c');
    for (const page of [leading, other, third]) await expectShown(page, ['a', 'b', 'c']);
    expect(await lifeOf(leading)).toEqual(['freeze', 'resume']);
    for (const page of [leading, other, third]) await page.leave();
  });

  test('a tab alone goes on when it is no longer frozen', async () => {
    const alone = await opened('alone', STATEMENTS);
    await insert(alone, 'a');
    await alone.freeze();
    await alone.thaw();
    expect(await lifeOf(alone)).toEqual(['freeze', 'resume']);
    await insert(alone, 'b');
    await expectShown(alone, ['a', 'b']);
    await alone.leave();
  });

  test('a tab that follows and is frozen goes on where it was', async () => {
    const leading = await opened('follower', STATEMENTS);
    const other = await opened('follower');
    await other.freeze();
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    await insert(leading, ...keys);
    await other.thaw();
    expect(await lifeOf(other)).toEqual(['freeze', 'resume']);
    await expectShown(other, keys);
    for (const page of [leading, other]) await page.leave();
  });

  test('a page that leads and goes into the back/forward cache has let go, and is there again with the way back', async () => {
    const leading = await opened('left', STATEMENTS);
    const other = await opened('left');
    await insert(leading, 'a');
    await left(leading);
    expect(await answerMs(other)).toBeLessThan(TAKE_OVER_MS);
    await insert(other, 'b');
    await leading.goBack();
    await expect.poll(() => lifeOf(leading).catch(() => [])).toContain('back');
    await insert(leading, 'c');
    for (const page of [leading, other]) await expectShown(page, ['a', 'b', 'c']);
    for (const page of [leading, other]) await page.leave();
  });

  test('pages of one tab after another open the same database, there and back', async () => {
    const page = await opened('pages', STATEMENTS);
    await insert(page, 'a');
    await left(page);
    await begun(page, 'pages');
    await insert(page, 'b');
    await page.goBack();
    await expect.poll(() => lifeOf(page).catch(() => [])).toContain('back');
    await insert(page, 'c');
    await expectShown(page, ['a', 'b', 'c']);
    await page.leave();
  });

  test('four tabs that are frozen, closed, ended and opened anew show each acknowledged record once', async () => {
    const draw = draws(SEED);
    console.log(`SEED=${SEED} npx vitest run --project node tests/node/browser/share-life.test.ts`);
    acknowledged.length = 0;
    let made = 0;
    const writing = async (statements = ''): Promise<LonePage> => {
      const page = await opened('rounds', statements);
      await page.evaluate((name) => {
        const scope = globalThis as unknown as Scope;
        const failed = (thrown: unknown) => void scope.faults.push(String(thrown));
        scope.written = scope.write(name).catch(failed);
      }, `tab ${made++}`);
      return page;
    };
    const open = [await writing(STATEMENTS)];
    while (open.length < 4) open.push(await writing());
    const frozen = new Set<LonePage>();
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((done) => setTimeout(done, draw(400)));
      const which = draw(4);
      const page = open[which];
      if (page === undefined) throw new Error('there are four');
      if (frozen.delete(page)) await page.thaw();
      // One is awake: nobody else could take over.
      else if (draw(2) === 0 && frozen.size < 3) {
        await page.freeze();
        frozen.add(page);
      } else {
        await (draw(2) === 0 ? page.leave() : page.crash());
        open[which] = await writing();
      }
    }
    for (const page of frozen) await page.thaw();
    for (const page of open)
      await page.evaluate(async () => {
        const scope = globalThis as unknown as Scope;
        scope.isOver = true;
        await scope.written;
      }, null);
    const [one] = open;
    if (one === undefined) throw new Error('there are four');
    await answerMs(one);
    const keys = await one.evaluate(async () => {
      const rows = await (globalThis as unknown as Scope).engine.query('SELECT k FROM t;');
      return (await rows.all()).map(({ K }) => K as string);
    }, null);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(acknowledged.filter((id) => !keys.includes(id))).toEqual([]);
    for (const page of open) await expectShown(page, keys);
  });
});
