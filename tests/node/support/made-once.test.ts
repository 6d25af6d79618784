// What many ask for at the same time is made once, also after somebody was killed while making it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { madeOnce } from '../../support/made-once.ts';

let folder: string;
let path: string;
let makes = 0;
const make = async (): Promise<void> => {
  makes += 1;
  await pause(100);
  writeFileSync(path, 'made');
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'made-once-'));
  path = join(folder, 'it');
  makes = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

test('many that ask at once have what one of them makes, and nobody makes it again', async () => {
  await Promise.all([1, 2, 3].map(() => madeOnce(path, make)));
  await madeOnce(path, make);
  expect([makes, readFileSync(path, 'utf8')]).toEqual([1, 'made']);
});

test('where it cannot be made whoever tried is told, and the next one tries', async () => {
  const fails = async (): Promise<void> => {
    makes += 1;
    throw new Error('no');
  };
  const outcomes = await Promise.allSettled([madeOnce(path, fails), madeOnce(path, make)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(makes).toBe(2);
});

test('what was left by a process that was killed while making it holds nobody up', async () => {
  const ended = spawn(process.execPath, ['--version']);
  await once(ended, 'close');
  writeFileSync(`${path}.lock`, String(ended.pid));
  await madeOnce(path, make);
  expect(makes).toBe(1);
});
