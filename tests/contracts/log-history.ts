// Random histories of a log beside a plain model of it, for each adapter's own runtime: whatever is done, all that can be seen is what the model says. Knows no adapter.

import { expect, inject, test } from 'vitest';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { draws } from '../support/draws.ts';
import { begunHistory, step } from './log-histories.ts';
import { bounds, check, HISTORY_PARTITIONS } from './log-history-checks.ts';
import type { LogUnderTest } from './log.ts';
import { HANGS_MS } from '../support/waits.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many histories each adapter lives through; null: as many as its suite says. */
    readonly histories: number | null;
    /** Of the first of them; null: by the clock. */
    readonly seed: number | null;
  }
}

/** What happens in one of them. */
const STEPS = 80;
/** On a busy machine. */
const HISTORY_MS_MAX = 20_000;

/**
 * @param make a new, empty log each time
 * @param runs of them; HISTORIES=n and SEED=n in the environment say otherwise
 */
export function describeHistories(
  name: string,
  make: () => Promise<LogUnderTest>,
  runs: number,
): void {
  const first = inject('seed') ?? Date.now() % 2 ** 31;
  const count = inject('histories') ?? runs;
  test(
    `${name} shows in ${count} random histories what a plain model shows (SEED=${first})`,
    async () => {
      for (let seed = first; seed < first + count; seed++) {
        const under = await make();
        const history = begunHistory(under, draws(seed), `history${seed % 2}`);
        for (let at = 0; at < STEPS; at++) {
          const did = await step(history);
          await check(history, `seed ${seed}, step ${at}, ${did}`);
        }
        const last: TopicPartition = { topic: history.topic, partition: HISTORY_PARTITIONS - 1 };
        expect(await history.log.bounds(last)).toMatchObject(bounds(history, last));
        await under.dispose?.();
      }
    },
    HANGS_MS + count * HISTORY_MS_MAX,
  );
}
