// The same flood against a Worker that refuses everything: what no code behind the platform's own HTTP can be better than; knows no edge.

import process from 'node:process';
import { quantile } from '../bench/edge/load.ts';
import { pin, processorMs } from '../bench/edge/machine.ts';
import { Workerd } from '../support/workerd.ts';
import { Generator, type Kind } from './lanes.ts';

const WARM_MS = 1_000;
const FLOOD_MS = 5_000;

export interface Floor {
  /** How soon it refuses at p99. */
  readonly refusedMs: number;
  /** Processor time of one refusal. */
  readonly costMs: number;
  readonly perSecond: number;
}

/** @param perSecond by kind */
export async function floorOf(
  kinds: readonly Kind[],
  perSecond: readonly number[],
  connectionsMax: number,
): Promise<Floor> {
  await using edge = await Workerd.start('tests/workers/bench/refusing.ts');
  pin(edge.pid, 1);
  pin(process.pid, 0);
  const generator = new Generator(Number(new URL(edge.url).port), connectionsMax);
  await generator.closed(kinds, 8, WARM_MS);
  const [from, usedMs] = [performance.now(), processorMs(edge.pid)];
  const outcomes = await generator.offer(kinds, perSecond, FLOOD_MS);
  const [tookMs, tookProcessorMs] = [performance.now() - from, processorMs(edge.pid) - usedMs];
  generator.close();
  const refused = outcomes.flatMap(({ refusedMs }) => refusedMs);
  return {
    refusedMs: Math.round(quantile(refused, 0.99)),
    costMs: tookProcessorMs / refused.length,
    perSecond: Math.round((refused.length * 1_000) / tookMs),
  };
}
