// A process that is killed in the middle of its commits leaves a file in which nothing is lost and nothing is there twice.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/base/bytes.ts';
import type { Engine } from '../../../runtime/engine/engine.ts';
import { open } from '../../../runtime/engine/open.ts';
import { seededRandom } from '../../../runtime/memory/faults.ts';
import { Folder } from './file.ts';

const CHILD = resolve(import.meta.dirname, 'crash-child.ts');
const SEED = 20_261_125;
const KILLS = 3;

const folder = new Folder();
afterAll(() => folder.remove());

/** Runs the child until it has acknowledged a number or more, then a little longer, and kills it. @returns the last number acknowledged */
async function killed(file: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let last = -1;
  for await (const line of createInterface({ input: child.stdout })) {
    if (last === -1) setTimeout(() => child.kill('SIGKILL'), afterMs);
    last = Number(line);
  }
  await closed;
  expect(child.signalCode).toBe('SIGKILL');
  return last;
}

async function values(engine: Engine, topic: string): Promise<Record<string, number>[]> {
  const records = await engine.topicRecords(topic, { recordsMax: 1_000_000 });
  return records.map(({ value }) => JSON.parse(decodeUtf8(value ?? new Uint8Array())));
}

test(`nothing is lost or doubled over ${KILLS} kills (seed ${SEED})`, async () => {
  const file = folder.file('killed.db');
  const random = seededRandom(SEED);
  let acknowledged = -1;
  for (let kill = 0; kill < KILLS; kill++) {
    const last = await killed(file, 20 + random() * 200);
    expect(last).toBeGreaterThan(acknowledged);
    acknowledged = last;
  }
  await using engine = await open({ storage: { file, durability: 'relaxed' } });
  await engine.idle();
  expect([...engine.catalog.queries.keys()].map((id) => engine.errorOf(id))).toEqual([null, null]);
  const numbers = (await values(engine, 'numbers')).map(({ N }) => N ?? NaN);
  expect(numbers.length).toBeGreaterThan(acknowledged);
  expect(numbers).toEqual(numbers.map((_, i) => i));
  const doubled = await values(engine, 'DOUBLED');
  expect(doubled).toEqual(numbers.map((n) => ({ N: n, TWICE: n * 2 })));
  for (let k = 0; k < 7; k++) {
    const mine = numbers.filter((n) => n % 7 === k);
    const rows = await engine.query(`SELECT rows_in, total FROM sums WHERE k = 'k${k}';`);
    expect(await Array.fromAsync(rows)).toEqual([
      { ROWS_IN: mine.length, TOTAL: mine.reduce((sum, n) => sum + n, 0) },
    ]);
  }
  const sums = await values(engine, 'SUMS');
  expect(sums).toHaveLength(numbers.length);
});
