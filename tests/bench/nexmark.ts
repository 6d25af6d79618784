// The cases of the engine suite after Nexmark's: nine queries, each path beside hand-written JavaScript; knows no operator.

import { type Running, inThread } from './in-thread.ts';
import { makeNexmark } from './nexmark-events.ts';
import { NEXMARK_QUERIES, type NexmarkQuery } from './nexmark-queries.ts';
import type { NexmarkWork } from './nexmark-worker.ts';
import { aimOf, type MeasuredCase, runCase } from './run.ts';

const KERNEL_TO_ROW_MIN = 5;
const ROW_TO_JAVASCRIPT_MIN = 0.25;
/** Code is compiled anew as it gets hot. */
const WARMUPS = 2;

async function measured(
  { name, hasKernel, events }: NexmarkQuery,
  query: number,
  bids: number,
  rounds: number,
): Promise<MeasuredCase> {
  const work = (path: NexmarkWork['path']): NexmarkWork => ({ bids, query, path });
  const start = (subject: string, path: NexmarkWork['path']): Promise<Running> =>
    inThread(subject, 'nexmark-worker.ts', work(path));
  const subjects = [
    ...(hasKernel ? [await start('kernel path', 'kernel')] : []),
    await start('row path', 'row'),
    await start('JavaScript', null),
  ];
  const label = `${name}, ${bids} bids`;
  const ratios: [string, string][] = [['row path', 'JavaScript']];
  if (hasKernel) ratios.unshift(['kernel path', 'row path'], ['kernel path', 'JavaScript']);
  const aims = [
    ...(hasKernel ? [aimOf(label, ['kernel path', 'row path'], KERNEL_TO_ROW_MIN)] : []),
    aimOf(label, ['row path', 'JavaScript'], ROW_TO_JAVASCRIPT_MIN),
  ];
  try {
    const amount = events(makeNexmark(bids));
    const bench = { case: label, unit: 'M events/s', amount, subjects, ratios };
    return { done: await runCase(bench, rounds, WARMUPS), aims };
  } finally {
    await Promise.all(subjects.map((subject) => subject.end()));
  }
}

/** All nine, one after the other. */
export async function nexmarkCases(bids: number, rounds: number): Promise<MeasuredCase[]> {
  const all: MeasuredCase[] = [];
  for (const [number, query] of NEXMARK_QUERIES.entries())
    all.push(await measured(query, number, bids, rounds));
  return all;
}
