// Suite `json`: JSON records to windowed aggregates through SQL, beside the ways without millrace; knows the public engine alone.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { BATCH_ROWS } from './events.ts';
import { inThread, type Running } from './in-thread.ts';
import { jsonEvents } from './json-events.ts';
import type { JsonWork } from './json-worker.ts';
import { scannerCase } from './json-scanner.ts';
import { readersCases } from './readers.ts';
import { type Aim, aimOf, type MeasuredCase, runCase, suiteOf, type SuiteResult } from './run.ts';

const EVENTS = { full: 1_000_000, small: 250_000 };
const ROUNDS = { full: 9, small: 5 };
/** Code is compiled anew as it gets hot: the engine has more of it than a loop. */
const WARMUPS = 3;
const FILE = 'json-worker.ts';
const C_FILE = resolve(import.meta.dirname, 'json.c');

/** The same in C, compiled on the spot; null, with a message, where there is no compiler. */
async function inC(
  events: number,
  keys: number,
  output: JsonWork['output'],
): Promise<Running | null> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const program = join(folder, 'json');
  const flags = ['-O3', '-march=native', '-o', program, C_FILE, '-lm'];
  const compiler = ['gcc', 'clang'].find((name) => spawnSync(name, flags).status === 0);
  if (compiler === undefined) {
    rmSync(folder, { recursive: true });
    process.stderr.write('no gcc and no clang: the suite runs without its subject in C\n');
    return null;
  }
  const data = join(folder, 'events.ndjson');
  const texts = jsonEvents(events, keys).flatMap((batch) => batch.texts);
  writeFileSync(data, `${texts.join('\n')}\n`);
  const child = spawn(program, output === 'rows' ? [data] : [data, 'groups'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the subject in C ended with ${code}`);
  });
  // Whoever waits for a line hears of it; after the last one it is no fault.
  ended.catch(() => undefined);
  const run = async (): Promise<number> => {
    child.stdin.write('run\n');
    const [line] = (await Promise.race([once(answers, 'line'), ended])) as [string];
    return Number(line);
  };
  const end = (): void => {
    child.stdin.end();
    rmSync(folder, { recursive: true });
  };
  await run();
  return { subject: `C, ${compiler} -O3`, prepare: () => run, end };
}

/** What the suite must reach, beside the best way in JavaScript and beside C. */
const ARRAYS_MIN = 6;
const C_MIN = 0.5;
/** C that is less ahead of JSON.parse a line is no reference. */
const C_TO_LINES_MIN = 8;

/** What each output is called. */
const OUTPUTS: Readonly<Record<JsonWork['output'], string>> = {
  rows: 'a change per event',
  results: 'changed groups of 4,096 events',
};

async function measured(
  keys: number,
  output: JsonWork['output'],
  size: 'full' | 'small',
): Promise<MeasuredCase> {
  const events = EVENTS[size];
  const work = (subject: JsonWork['subject']): JsonWork => {
    return { events, keys, subject, output };
  };
  const native = await inC(events, keys, output);
  const millrace = await inThread('millrace', FILE, work('kernel'));
  const decoder = await inThread('TypeScript decoder', FILE, work('row decoder'));
  const arrays = await inThread('JSON.parse of arrays', FILE, work('arrays'));
  const lines = await inThread('JSON.parse of lines', FILE, work('lines'));
  const others = [decoder, arrays, lines, ...(native === null ? [] : [native])];
  const subjects = [millrace, ...others];
  const name = `JSON, ${keys} keys, ${OUTPUTS[output]}`;
  const toC = native === null ? [] : [[native.subject, lines.subject] as const];
  const bench = {
    case: name,
    unit: 'M events/s',
    amount: Math.floor(events / BATCH_ROWS) * BATCH_ROWS,
    subjects,
    ratios: [...others.map(({ subject }) => ['millrace', subject] as const), ...toC],
  };
  const aim = (a: Running, b: Running, value: number): Aim =>
    aimOf(name, [a.subject, b.subject], value);
  const aims = [
    aim(millrace, arrays, ARRAYS_MIN),
    ...(native === null ? [] : [aim(millrace, native, C_MIN), aim(native, lines, C_TO_LINES_MIN)]),
  ];
  try {
    return { done: await runCase(bench, ROUNDS[size], WARMUPS), aims };
  } finally {
    await Promise.all(subjects.map((subject) => subject.end()));
  }
}

/**
 * Measured from the text of the query, the topic being filled, to the change of the last event in the hands of the reader. The ways
 * without millrace have the bytes at hand, and make a row of results per event too, or one per changed group of a batch, which millrace does with a
 * cache. `scanner` is the decoder by itself,
 * `readers` what each kind of value gains by it.
 */
export async function jsonSuite(full: boolean): Promise<SuiteResult> {
  const size = full ? 'full' : 'small';
  const all: MeasuredCase[] = [await scannerCase(), ...(await readersCases())].map((done) => ({
    done,
    aims: [],
  }));
  for (const output of ['results', 'rows'] as const)
    for (const keys of [10_000, 100]) all.push(await measured(keys, output, size));
  return suiteOf('json', all, [
    'The reference in C is void where it is less than 8 x JSON.parse a line.',
  ]);
}
