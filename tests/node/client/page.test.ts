// The client in Chromium, in pages of two origins: the one that the edge lists produces and reads, the other one is told nothing.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, launchChromium } from '../../support/chromium.ts';
import { type ClientPage, clientSite, pageOf } from '../../support/client-page.ts';
import type { ScriptSite } from '../../support/script-site.ts';
import { Workerd } from '../../support/workerd.ts';

const executablePath = findChromium();
let edge: Workerd;
let browser: Browser | null = null;
/** Serve the same page, each as an origin of its own. */
let listed: ScriptSite;
let other: ScriptSite;
/** The listed one by another name, which is no secure context: as a page in development has on a phone. */
const INSECURE = 'insecure.test';
const insecure = (): string => listed.origin.replace(/localhost|127\.0\.0\.1/, INSECURE);

beforeAll(async () => {
  if (executablePath === null) return;
  [listed, other] = await Promise.all([clientSite(), clientSite()]);
  edge = await Workerd.start('tests/workers/apps/pages.ts', {
    PAGES: `${listed.origin} ${insecure()}`,
    MILLRACE_TICKET_SECRET: 'a secret of thirty-two characters',
  });
  browser = await launchChromium(executablePath, [
    `--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`,
  ]);
});

afterAll(async () => {
  await browser?.close();
  if (executablePath === null) return;
  await edge.stop();
  listed.stop();
  other.stop();
});

// Without a Chromium there is no page.
describe.skipIf(executablePath === null)('a page of the list', () => {
  test.each([
    ['a secure context', () => listed.origin, true],
    ['none', insecure, false],
  ] as const)('produces and reads over CORS, in %s', async (_, origin, isSecure) => {
    if (browser === null) throw new Error('a browser was started');
    const page = await pageOf({ origin: origin() }, browser);
    expect(await page.evaluate(() => isSecureContext)).toBe(isSecure);
    const topic = isSecure ? 'secure' : 'insecure';
    const seen = await page.evaluate(
      async ([url, topic]) => {
        const client = (globalThis as unknown as ClientPage).client.connect({
          url,
          token: 'key-of-a',
        });
        await client.topics.create({ name: topic, partitions: 2 });
        const producer = client.producer();
        const sent = Array.from({ length: 10 }, (_, i) =>
          producer.send(topic, { key: `k${i}`, value: String(i) }),
        );
        await Promise.all(sent);
        await producer.close();
        const values: string[] = [];
        const consumer = client.consumer({ topic });
        for await (const { value } of consumer) {
          if (values.push(new TextDecoder().decode(value ?? new Uint8Array(0))) === 10) break;
        }
        const error = await client.topics
          .describe('nowhere')
          .catch((e: { code: string }) => e.code);
        return { values: values.toSorted(), error };
      },
      [edge.url, topic] as const,
    );
    expect(seen).toEqual({
      values: Array.from({ length: 10 }, (_, i) => String(i)),
      error: 'UNKNOWN_TOPIC',
    });
  });
});

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'a page with a key subscribes over a socket, which takes no header',
  async () => {
    if (browser === null) throw new Error('a browser was started');
    const page = await pageOf(listed, browser);
    const seen = await page.evaluate(async (url) => {
      const client = (globalThis as unknown as ClientPage).client.connect({
        url,
        token: 'key-of-a',
      });
      await client.execute(
        "CREATE STREAM live (n INT) WITH (KAFKA_TOPIC='live', PARTITIONS=1, VALUE_FORMAT='JSON');",
      );
      const rows = await client.query('SELECT n FROM live EMIT CHANGES;', { transport: 'socket' });
      await client.execute('INSERT INTO live (n) VALUES (1); INSERT INTO live (n) VALUES (2);');
      const numbers: unknown[] = [];
      for await (const { N } of rows) if (numbers.push(N) === 2) break;
      const offsets: number[] = [];
      const consumer = client.consumer({ topic: 'live', transport: 'socket' });
      for await (const { offset } of consumer) if (offsets.push(offset) === 2) break;
      return { numbers, offsets };
    }, edge.url);
    expect(seen).toEqual({ numbers: [1, 2], offsets: [0, 1] });
  },
);

// Without a Chromium there is no page.
test.skipIf(executablePath === null)(
  'a page of another origin is told nothing, which may be why',
  async () => {
    if (browser === null) throw new Error('a browser was started');
    const page = await pageOf(other, browser);
    const told = await page.evaluate(async (url) => {
      const { connect } = (globalThis as unknown as ClientPage).client;
      const client = connect({ url, token: 'key-of-a', deadlineMs: 200 });
      return client.topics.list().catch(({ code, message }) => ({ code, message }));
    }, edge.url);
    const message = `the edge did not answer, or not to pages of ${other.origin} (its cors.origins)`;
    expect(told).toEqual({ code: 'UNAVAILABLE', message });
  },
);
