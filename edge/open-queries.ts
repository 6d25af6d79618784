// The queries of clients that one isolate runs at once, each with memory of its own: how many, and how one is ended by its id; knows no SQL and no HTTP.

import { PortError } from '../runtime/base/errors.ts';
import { PUSH_QUERY_GONE_MS } from '../runtime/base/limits.ts';

/** How often one that runs says so. */
const HEARD_EVERY_MS = PUSH_QUERY_GONE_MS / 3;

interface OpenQuery {
  heardMs: number;
  /** null while it is being started. */
  close: (() => Promise<void>) | null;
}

/**
 * Where the platform drops the request of one, as where its client goes before it has an answer, nobody says that it has ended: it is
 * taken for gone when it has not been heard of for PUSH_QUERY_GONE_MS.
 */
export class OpenQueries {
  readonly #open = new Map<string, OpenQuery>();
  readonly #most: number;
  readonly #limit: string;

  /** @param limit the name of the limit, which refusals tell */
  constructor(most: number, limit: string) {
    this.#most = most;
    this.#limit = limit;
  }

  /**
   * Counts one in; to be called by its request.
   * @returns what counts it out, once, however often it is called
   * @throws {PortError} OVERLOADED when there are as many as may be
   */
  enter(queryId: string): () => void {
    this.#forgetGone();
    if (this.#open.size >= this.#most)
      throw new PortError('OVERLOADED', `${this.#most} such queries run here (${this.#limit})`);
    const query: OpenQuery = { heardMs: Date.now(), close: null };
    this.#open.set(queryId, query);
    // It stops with the request, whatever becomes of that.
    const timer = setInterval(() => {
      query.heardMs = Date.now();
      // Where no timer ran for long it was taken for gone.
      this.#open.set(queryId, query);
    }, HEARD_EVERY_MS);
    return () => {
      clearInterval(timer);
      this.#open.delete(queryId);
    };
  }

  /** Says how one that is counted in is ended by others. */
  started(queryId: string, close: () => Promise<void>): void {
    const query = this.#open.get(queryId);
    if (query !== undefined) query.close = close;
  }

  /** Ends one. @returns false: none of that id runs here */
  async close(queryId: string): Promise<boolean> {
    this.#forgetGone();
    const close = this.#open.get(queryId)?.close;
    if (close === undefined || close === null) return false;
    await close();
    return true;
  }

  #forgetGone(): void {
    const nowMs = Date.now();
    for (const [queryId, { heardMs }] of this.#open)
      if (nowMs - heardMs >= PUSH_QUERY_GONE_MS) this.#open.delete(queryId);
  }
}
