// Waits until something is so, for statements that may wait; knows none of them.

import { StatementError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';

const LOOK_AGAIN_MS = 50;

/**
 * Looks again and again. Waits are counted, because the clock may be set back meanwhile.
 * @param look what is not so yet, as a text; null: nothing
 * @throws {StatementError} INVALID with what is not so, once the time is over; what `look` throws; why the signal was aborted
 */
export async function untilSo(
  look: () => Promise<string | null>,
  {
    clock,
    timeoutMs,
    hint,
    signal,
  }: {
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly hint: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  for (let leftMs = timeoutMs; ; leftMs -= LOOK_AGAIN_MS) {
    signal?.throwIfAborted();
    const fault = await look();
    if (fault === null) return;
    if (leftMs <= 0) throw new StatementError('INVALID', fault, null, hint);
    const untilMs = clock.now() + Math.min(leftMs, LOOK_AGAIN_MS);
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.wakeAt(untilMs, end);
      signal?.addEventListener('abort', end);
    });
  }
}
