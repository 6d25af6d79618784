// The decoder by itself, on events that differ in one thing each: what escapes, UTF-8, long numbers, white space and shapes cost.

import { DOUBLE, BIGINT, STRING } from '../../runtime/data/type.ts';
import { JSON_OK } from '../../runtime/kernel/json-abi.ts';
import { JsonKernel } from '../../runtime/kernel/json-instance.ts';
import type { DecodedColumn } from '../../runtime/kernel/json-nodes.ts';
import { kernelModule } from '../support/kernel-module.ts';
import { BATCH_ROWS } from './events.ts';
import { jsonEvents } from './json-events.ts';
import { runCase, type Case, type Subject } from './run.ts';

const EVENTS = 250_000;
const KEYS = 100;
const ROUNDS = 15;
const COLUMNS: readonly DecodedColumn[] = [
  { name: 'K', type: STRING },
  { name: 'X', type: DOUBLE },
  { name: 'TS', type: BIGINT },
];

/** Events as text, from those of the suite. */
type Change = (text: string, i: number) => string;

/** Members in an order of their own: the names of the last record are never where they were. */
function turned(text: string, i: number): string {
  const members = text.slice(1, -1).split(',');
  const first = i % members.length;
  return `{${[...members.slice(first), ...members.slice(0, first)].join(',')}}`;
}

const CHANGES: readonly (readonly [string, Change])[] = [
  ['white space', (text) => text.replaceAll(/([,:])"/gu, '$1 "')],
  [
    'an escape in two strings',
    (text) => text.replace('north hall', 'north\\nhall').replace('"sensor-', '"sensor\\u002d'),
  ],
  ['a string beyond ASCII', (text) => text.replace('north hall', 'зал')],
  ['doubles of 17 digits', (text, i) => text.replace(/"x":[^,]+/u, `"x":${(0.1 + (i % 977)) / 3}`)],
  ['a shape of its own each', turned],
];

function subjectOf(
  subject: string,
  texts: readonly string[],
  columns: readonly DecodedColumn[],
): { subject: Subject; declined: () => number } {
  const kernel = new JsonKernel(kernelModule(), columns);
  const chunks = Array.from({ length: texts.length / BATCH_ROWS }, (_, chunk) => {
    const parts = texts
      .slice(chunk * BATCH_ROWS, (chunk + 1) * BATCH_ROWS)
      .map((text) => new TextEncoder().encode(text));
    const lengths = Int32Array.from(parts, (part) => part.length);
    return { bytes: Buffer.concat(parts), lengths };
  });
  let decided = 0;
  const run = (): number => {
    decided = 0;
    let rows = 0;
    for (const { bytes, lengths } of chunks) {
      kernel.decode(bytes, 0, lengths);
      decided += kernel.counts()[JSON_OK] ?? 0;
      kernel.columns();
      rows += lengths.length;
    }
    return rows;
  };
  return { subject: { subject, prepare: () => run }, declined: () => texts.length - decided };
}

/** Ratios to the plain events with three columns, and how many records of each kind the kernel left to the other decoder. */
export async function scannerCase(): ReturnType<typeof runCase> {
  const texts = jsonEvents(EVENTS, KEYS).flatMap((batch) => batch.texts);
  const plain = 'three columns';
  const made = [
    subjectOf(plain, texts, COLUMNS),
    subjectOf('no column', texts, []),
    ...CHANGES.map(([name, change]) => subjectOf(name, texts.map(change), COLUMNS)),
  ];
  const bench: Case = {
    case: 'decoder alone',
    unit: 'M events/s',
    amount: texts.length,
    subjects: made.map(({ subject }) => subject),
    ratios: made.slice(1).map(({ subject }) => [subject.subject, plain] as const),
  };
  const { results, ratios } = await runCase(bench, ROUNDS);
  const declined = made.map(({ subject, declined: count }): [string, number] => [
    `${bench.case}: declined of ${texts.length}, ${subject.subject}`,
    count(),
  ]);
  return { results, ratios: [...ratios, ...declined] };
}
