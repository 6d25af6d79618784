// The page's line to the Worker: calls that end when the Worker does; knows no statement.

import { releaseProxy, type Remote, wrap } from 'comlink';
import { PortError } from '../base/errors.ts';
import { type Envelope, fromWire, opened } from './wire-error.ts';
import type { EngineWorker } from './worker.ts';

/** A Worker that answers, and the news of its end. */
export class RemoteEngine {
  readonly #worker: Worker;
  readonly #remote: Remote<EngineWorker>;
  readonly #onEnd: (error: Error) => void;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #watch = new AbortController();
  #ended: Error | null = null;

  /** @param onEnd called once, when the Worker is no more or was ended */
  constructor(worker: Worker, onEnd: (error: Error) => void) {
    this.#worker = worker;
    this.#onEnd = onEnd;
    this.#remote = wrap<EngineWorker>(worker);
    // Fired when the Worker's script cannot be loaded, and for what it does not catch.
    worker.addEventListener('error', (event) => {
      this.end(
        new PortError(
          'UNAVAILABLE',
          `the Worker failed: ${event.message || 'its script could not be loaded'}`,
        ),
      );
    });
  }

  get hasEnded(): boolean {
    return this.#ended !== null;
  }

  /** Begins to watch the Worker: no event tells that it was terminated, but the lock that it holds becomes free. */
  async watch(): Promise<void> {
    const lock = await this.#race(this.#remote.hello());
    const { signal } = this.#watch;
    const ended = (): void => this.end(new PortError('UNAVAILABLE', 'the Worker has ended'));
    // Refused only when `end` aborts it.
    navigator.locks.request(lock, { signal }, ended).catch(() => undefined);
    this.#remote.lost().then(
      (error) => this.end(fromWire(error)),
      () => undefined,
    );
  }

  /**
   * Calls the Worker.
   * @throws what its engine threw; {PortError} UNAVAILABLE when the Worker ends meanwhile
   */
  async call<T>(to: (remote: Remote<EngineWorker>) => Promise<Envelope<T>>): Promise<T> {
    return opened(await this.raw(to));
  }

  /** As `call`, for answers that are no envelope. */
  async raw<T>(to: (remote: Remote<EngineWorker>) => Promise<T>): Promise<T> {
    if (this.#ended !== null) throw this.#ended;
    return await this.#race(to(this.#remote));
  }

  /** What the Worker answers, or why it never will. The set, unlike Promise.race, forgets calls that were answered. */
  async #race<T>(answer: Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }

  /** Ends the Worker; calls that wait, and all later ones, are refused with the error. */
  end(error: Error): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#watch.abort();
    this.#remote[releaseProxy]();
    this.#worker.terminate();
    for (const reject of this.#waiting) reject(error);
    this.#onEnd(error);
  }
}
