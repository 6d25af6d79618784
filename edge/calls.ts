// How one request learns that the platform lets it call objects no more; knows no object.

import { PortError } from '../runtime/base/errors.ts';

/** What the platform throws then, by its name for a call: `Too many subrequests by single Worker invocation`. */
const OUT_OF_CALLS = /too many subrequests|subrequest (count|limit)/i;

/** Whether it is what the platform throws then, or was thrown because of that. */
export function isOutOfCalls(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (OUT_OF_CALLS.test(error.message)) return true;
  return false;
}

/** What whoever reads such an answer is told: another request may make as many again. */
export function outOfCalls(cause: unknown): PortError {
  const message =
    'this connection has made as many calls to objects as the platform lets one: ask again, and see limits.subrequests of wrangler.jsonc';
  return new PortError('UNAVAILABLE', message, {}, { cause });
}

/**
 * The calls of one request, which lasts for days where its client listens. Cloudflare lets each request make so many (1,000 or 10,000, as the plan has it), and
 * refuses all that follow, for as long as it lasts: whoever tried again and again would be silent for ever.
 */
export class Calls {
  /** What the platform has thrown; null: they are not over. */
  #why: unknown = null;
  readonly #listeners = new Set<() => void>();

  /** No more are let through. */
  get isOver(): boolean {
    return this.#why !== null;
  }

  /** What to throw once they are over. */
  get refusal(): PortError {
    return outOfCalls(this.#why);
  }

  /** A call has failed. */
  failed(thrown: unknown): void {
    if (this.isOver || !isOutOfCalls(thrown)) return;
    this.#why = thrown;
    for (const call of this.#listeners) call();
    this.#listeners.clear();
  }

  /** Calls back once they are over, at once where they are. @returns what takes that back */
  onOver(call: () => void): () => void {
    if (this.isOver) call();
    else this.#listeners.add(call);
    return () => void this.#listeners.delete(call);
  }
}
