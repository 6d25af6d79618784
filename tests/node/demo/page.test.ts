// The demo in a real Chromium, as a visitor meets it: built and served on loopback; knows its page only from outside.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, launchChromium } from '../../support/chromium.ts';
import { builtDemo, ELSEWHERE, servedDemo, type Site } from '../../support/demo-site.ts';
import { QUAKES_EXPECTED, QUAKES_LATE_BY_GRACE } from '../../support/earthquakes.ts';
import { COMES_MS } from '../../support/waits.ts';

const executablePath = findChromium();
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };
/** How Chromium ends a request whose page has gone. */
const CUT_OFF = 'net::ERR_ABORTED';

// Without a Chromium there is no page to look at; scripts/test.ts says so once, and on CI fails.
describe.skipIf(executablePath === null)('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    site = await builtDemo(folder);
    browser = await launchChromium(executablePath ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A visit by somebody new; at its end nothing may have gone wrong on the page. */
  async function visited(
    options: BrowserContextOptions,
    visit: (page: Page) => Promise<void>,
    { url = site.url, mayRefuse = false, reloads = false, script = '' } = {},
  ): Promise<void> {
    await using context = await browser.newContext({ viewport: WIDE, ...options });
    await context.addInitScript(script);
    const page = await context.newPage();
    const faults = faultsOf(page);
    page.setDefaultTimeout(COMES_MS);
    try {
      await page.goto(url);
      await firstChange(page);
      await visit(page);
    } catch (thrown) {
      const failure = await page.textContent('#failure');
      throw new Error(`the page says: ${failure}; faults: ${faults.join('; ')}`, { cause: thrown });
    }
    // A reload cuts off what the page is fetching just then.
    const isExpected = (fault: string): boolean =>
      (mayRefuse && fault.includes('Security Policy')) || (reloads && fault.endsWith(CUT_OFF));
    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
  }

  test('moves at once, ends with the numbers of independent recounts, and its check says equal', async () => {
    await visited({ reducedMotion: 'reduce' }, async (page) => {
      // Said, not judged: the promise to a visitor is 2 s, on a machine that does not test many things at once.
      const firstChangeMs = await firstChange(page);
      console.log(`first change on screen after ${Math.round(firstChangeMs)} ms`);
      await toEnd(page);
      expect(await numbers(page)).toEqual({
        records: '1,707',
        late: '736',
        changes: '971',
        rows: '556',
        'stream-time': '7 Feb, 01:26:13 UTC',
        clock: '7 Feb, 01:45:04 UTC',
      });
      expect(await page.locator('#table tr').count()).toBe(200);
      expect(await page.textContent('#table-count')).toBe('The latest 200 of 556 rows in all');
      expect(await page.textContent('#storage')).toBe('The log and the table are in IndexedDB.');
      expect(await page.textContent('#play')).toBe('Play again');
      expect(await checked(page)).toBe(
        'Equal. 556 rows and 736 late records, recounted from 1,707 raw records.',
      );
      await pointAtLastMark(page);
      expect(await page.textContent('#hint')).toMatch(/^Magnitude .+ arrived .+ later: counted\.$/);
    });
  });

  // Each costs a slow network a tenth of a second and more: at 50 kB/s the first change came after 8 s with 95 of them, after 4.6 s with 27.
  test('asks for few files before the first change', async () => {
    await using context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(site.url);
    await firstChange(page);
    expect(asked.filter((url) => url.includes('/worker-'))).toHaveLength(1);
    expect(asked.length).toBeLessThan(40);
  });

  test('runs where the script of a Worker is another module than the one that its parts import, as in WebKit', async () => {
    // What is redirected goes by its first address among a Worker's modules, and parts import from the second.
    const script = `
      const Own = globalThis.Worker;
      globalThis.Worker = class extends Own {
        constructor(url, options) {
          super(new URL('${ELSEWHERE}' + new URL(url, location.href).pathname, location.href), options);
        }
      };`;
    const visit = async (page: Page): Promise<void> =>
      expect(await checked(page)).toMatch(/^Equal\./);
    await visited({}, visit, { script });
  });

  test('replaces the table for another grace period out of the log', async () => {
    await visited({}, async (page) => {
      await toEnd(page);
      // The others differ in a number: recounts and the engine's tests have them all.
      for (const [hours, late] of [...QUAKES_LATE_BY_GRACE].filter(([h]) => h % 24 === 0)) {
        await page.selectOption('#grace', String(hours));
        const changes = QUAKES_EXPECTED.records - late;
        await shows(page, 'late', late.toLocaleString('en'));
        await shows(page, 'changes', changes.toLocaleString('en'));
        expect(await page.textContent('#sql')).toContain(`GRACE PERIOD ${hours} HOURS`);
        expect(await checked(page)).toMatch(/^Equal\./);
      }
    });
  });

  test('checks in the middle of the replay, and starts cleanly after a reload', async () => {
    const visit = async (page: Page): Promise<void> => {
      await toMiddle(page);
      expect(await checked(page)).toMatch(/^Equal\. \d+ rows and \d+ late records, recounted from/);
      await page.reload();
      await firstChange(page);
      await toEnd(page);
      expect(await numbers(page)).toMatchObject({ late: '736', rows: '556' });
      expect(await page.textContent('#storage')).toBe('The log and the table are in IndexedDB.');
    };
    await visited({}, visit, { reloads: true });
  });

  test('pauses, plays and restarts by keyboard alone', async () => {
    await visited({}, async (page) => {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('play');
      await page.keyboard.press('Space');
      await shows(page, 'play', 'Play');
      const clock = (await page.textContent('#clock')) ?? '';
      await page.locator('#speed').press('End');
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      expect(await page.textContent('#clock')).toBe(clock);
      await page.locator('#play').press('Enter');
      await shows(page, 'play', 'Pause');
      await page.waitForFunction(
        () => Number(document.getElementById('records')?.textContent) > 50,
      );
      await page.locator('#speed').press('Home');
      await page.locator('#restart').press('Enter');
      await shows(page, 'records', '1');
      expect(await checked(page)).toBe(
        'Equal. 1 row and 0 late records, recounted from 1 raw record.',
      );
    });
  });

  test('says in a second tab that the first has the database, and runs in memory', async () => {
    await visited({}, async (page) => {
      const second = await page.context().newPage();
      const faults = faultsOf(second);
      await second.goto(site.url);
      await firstChange(second);
      expect(await second.textContent('#storage')).toBe(
        'Another tab has this demo open, and its database takes one writer. ' +
          'This tab keeps the log and the table in memory.',
      );
      expect(await checked(second)).toMatch(/^Equal\./);
      expect(faults).toEqual([]);
    });
  });

  test('runs in memory within a page of another site, where the browser gives it neither database nor locks', async () => {
    await using context = await browser.newContext({ viewport: WIDE });
    const page = await context.newPage();
    page.setDefaultTimeout(COMES_MS);
    const faults = faultsOf(page);
    // The name of another site than the demo's address, and as secure.
    await using other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><link rel="icon" href="data:,"><iframe src="${site.url}">`);
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    await page.goto(`http://localhost:${(other.address() as AddressInfo).port}/`);
    const storage = page.frameLocator('iframe').locator('#storage', { hasText: 'memory' });
    expect(await storage.textContent()).toMatch(
      /^This browser gives no database \(the browser refused database '.+': .+\)\. This tab keeps the log and the table in memory\.$/,
    );
    await page.frameLocator('iframe').locator('#table tr').first().waitFor();
    expect(faults).toEqual([]);
  });

  test('has no fault of accessibility and nothing to scroll sideways, by day and by night', async () => {
    await visited({ viewport: NARROW }, async (page) => {
      expect(await widthOf(page)).toBe(NARROW.width);
      await toMiddle(page);
      await page.click('#play');
      await checked(page);
      for (const viewport of [NARROW, WIDE]) {
        await page.setViewportSize(viewport);
        expect(await widthOf(page)).toBe(viewport.width);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await axeFaults(page), colorScheme).toEqual([]);
        }
      }
    });
  });

  test('says in words that the engine could not be opened', async () => {
    await using context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto(site.url);
    await page.locator('#failure').waitFor();
    expect(await page.textContent('#failure')).toMatch(
      /^The demo has stopped: the kernel could not be loaded .+ Reload the page to start it again\.$/,
    );
    expect(await page.locator('#play').isDisabled()).toBe(true);
  });

  test('lets no script run that did not come with it', async () => {
    await visited(
      {},
      async (page) => {
        // The fault that this makes is the proof; it is told to the console, and so looked for before the visit ends.
        const refused = page.waitForEvent('console', (message) =>
          message.text().includes('Content Security Policy'),
        );
        const ran = await page.evaluate(() => {
          const script = document.createElement('script');
          script.textContent = 'document.title = "taken over"';
          document.body.append(script);
          return document.title;
        });
        expect(ran).toBe('millrace: streaming SQL in a browser tab');
        await refused;
      },
      { mayRefuse: true },
    );
  });

  test('moves in development too', async () => {
    const served = await servedDemo();
    try {
      const path = '@fs/' + resolve('node_modules/vega-datasets/data/earthquakes.json') + '?import';
      // With the whole file beside it, as a map, it would be five times as many.
      const data = await (await fetch(served.url + path)).text();
      expect(data.length).toBeLessThan(300_000);
      await visited(
        {},
        async (page) => {
          expect(await checked(page)).toMatch(/^Equal\./);
        },
        { url: served.url },
      );
    } finally {
      await served.close();
    }
  });
});

/** Errors, warnings and failed requests of a page, as they come. */
function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('requestfailed', (request) =>
    faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
  return faults;
}

/** Waits for the first change of the table on screen. @returns ms since the page was asked for */
async function firstChange(page: Page): Promise<number> {
  const name = 'millrace:first-change';
  await page.waitForFunction((mark) => performance.getEntriesByName(mark).length > 0, name);
  return await page.evaluate(
    (mark) => performance.getEntriesByName(mark)[0]?.startTime ?? NaN,
    name,
  );
}

async function shows(page: Page, id: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([id, text]) => document.getElementById(id ?? '')?.textContent === text,
    [id, text],
  );
}

/** Replays the rest at top speed, until every number stands. */
async function toEnd(page: Page): Promise<void> {
  await page.locator('#speed').press('End');
  await shows(page, 'records', '1,707');
  await shows(page, 'changes', '971');
}

/** Replays fast until some records were late, and goes on so. */
async function toMiddle(page: Page): Promise<void> {
  await page.locator('#speed').fill('19');
  await page.waitForFunction(() => Number(document.getElementById('late')?.textContent) > 20);
}

/** The last mark stands where the diagonal ends, a little before the corner of the plot. */
async function pointAtLastMark(page: Page): Promise<void> {
  await page.locator('#chart').scrollIntoViewIfNeeded();
  const box = await page.locator('#chart').boundingBox();
  if (box === null) throw new Error('the chart is not on the page');
  const { x, y, width, height } = box;
  await page.mouse.move(x + width - 10 - (width - 62) * 0.03, y + 26 + (height - 68) * 0.03);
}

async function numbers(page: Page): Promise<Record<string, string>> {
  const ids = ['records', 'late', 'changes', 'rows', 'stream-time', 'clock'];
  return await page.evaluate(
    (ids) =>
      Object.fromEntries(ids.map((id) => [id, document.getElementById(id)?.textContent ?? ''])),
    ids,
  );
}

/** Presses the check's button. @returns what it says */
async function checked(page: Page): Promise<string> {
  await page.evaluate(() => document.getElementById('check-result')?.replaceChildren());
  await page.click('#check');
  await page.locator('#check-result p').waitFor();
  return (await page.textContent('#check-result')) ?? '';
}

async function widthOf(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth);
}

interface AxeFault {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds, as rule and element. It comes in by the debugger, which the page's policy does not bind. */
async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<{ violations: readonly AxeFault[] }>('axe.run()');
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
