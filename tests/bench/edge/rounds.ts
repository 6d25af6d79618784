// Rounds of several servers in turn: rates by the clock, and by the processor time that the server took; knows no server.

import type { CaseResult } from '../run.ts';
import { summary } from '../run.ts';
import { processorMs } from './machine.ts';

/** One server's way of doing a case's work. */
export interface Contender {
  readonly subject: string;
  /** The server's process. */
  readonly pid: number;
  /** Does the work once. @returns how many units it did */
  readonly run: () => Promise<number>;
}

export interface Rounds {
  readonly results: readonly CaseResult[];
  readonly ratios: readonly (readonly [string, number])[];
}

/**
 * Every contender in each round; the first round warms up. Rates by processor time hold on a busy machine, where those by the clock do not.
 * @param name what is done; units are thousands a second
 */
export async function interleaved(
  name: string,
  unit: string,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Rounds> {
  const byClock = new Map<string, number[]>();
  const byProcessor = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const { subject, pid, run } of contenders) {
      const processor = processorMs(pid);
      const start = performance.now();
      const count = await run();
      const ms = performance.now() - start;
      const took = processorMs(pid) - processor;
      if (round < 0) continue;
      byClock.set(subject, [...(byClock.get(subject) ?? []), count / ms]);
      byProcessor.set(subject, [...(byProcessor.get(subject) ?? []), count / took]);
    }
  }
  const results = contenders.flatMap(({ subject }): CaseResult[] => [
    { case: name, subject, unit, ...summary(byClock.get(subject) ?? []) },
    {
      case: `${name}, of the server's time`,
      subject,
      unit,
      ...summary(byProcessor.get(subject) ?? []),
    },
  ]);
  const [first, ...others] = contenders;
  const median = (subject: string, i: number): number =>
    results.filter((result) => result.subject === subject)[i]?.median ?? Number.NaN;
  const ratio = (subject: string, i: number): number =>
    Number((median(first?.subject ?? '', i) / median(subject, i)).toPrecision(4));
  const ratios = others.flatMap(({ subject }): [string, number][] => {
    const pair = `${first?.subject}/${subject}`;
    return [
      [`${name}: ${pair}`, ratio(subject, 0)],
      [`${name}, of the server's time: ${pair}`, ratio(subject, 1)],
    ];
  });
  return { results, ratios };
}

/** One figure a case where there is nothing to repeat, such as a quantile over many. */
export function figure(name: string, unit: string, value: number): CaseResult {
  return { case: name, subject: 'millrace', unit, ...summary([value]) };
}
