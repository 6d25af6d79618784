// PRINT as a page reads it: lines from the Worker until the end, the reader or a signal ends them; knows no topic.

import { endedBy } from '../ports/ended-by.ts';
import type { RemoteEngine } from './remote.ts';

/**
 * As `Engine.print`. Rejects with what is wrong with the text; where it begins to read is settled when this resolves.
 */
export async function printed(
  remote: RemoteEngine,
  sql: string,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<string, void, undefined>> {
  signal?.throwIfAborted();
  const id = await remote.call('print', [sql]);
  const end = (): void => {
    signal?.removeEventListener('abort', end);
    // Refused by a Worker that has ended, which prints no more.
    remote.call('endPrint', [id]).catch(() => undefined);
  };
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  return endedBy(lines(remote, id, end), end);
}

async function* lines(
  remote: RemoteEngine,
  id: number,
  end: () => void,
): AsyncGenerator<string, void, undefined> {
  try {
    for (;;) {
      const taken = await remote.call('printed', [id]);
      if (taken === null) return;
      yield* taken;
    }
  } finally {
    end();
  }
}
