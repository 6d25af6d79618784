// The page's line to the Worker that recounts, which is made for the first recount; knows no table.

import { type Remote, wrap } from 'comlink';
import type { recount } from './recount.ts';

export class Recounter {
  #remote: Remote<typeof recount> | null = null;
  /** Rejects when the Worker cannot be loaded, or throws outside of a call. */
  #ended: Promise<never> | null = null;

  /** Recounts in the Worker. Rejects when that cannot be loaded. */
  async recount(...given: Parameters<typeof recount>): Promise<ReturnType<typeof recount>> {
    if (this.#remote === null || this.#ended === null) {
      const worker = new Worker(new URL('./recount-worker.ts', import.meta.url), {
        type: 'module',
      });
      this.#remote = wrap<typeof recount>(worker);
      this.#ended = new Promise((_, reject) => {
        worker.addEventListener('error', ({ message }) => {
          reject(new Error(`the recount cannot run: ${message}`));
        });
      });
    }
    return await Promise.race([this.#remote(...given), this.#ended]);
  }
}
