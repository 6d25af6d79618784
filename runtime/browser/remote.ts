// The page's line to the Worker: calls that end when the Worker does; knows no statement.

import { PortError } from '../base/errors.ts';
import { Calls } from './calls.ts';
import { portTransport } from './port-transport.ts';
import { fromWire } from './wire-error.ts';
import type { RareCalls } from './rare-calls.ts';
import type { EngineWorker } from './worker.ts';

type Called = Omit<EngineWorker, 'rarer'> & RareCalls;
type EngineCall = Calls<Called>['call'];

/** A Worker that answers, and the news of its end. */
export class RemoteEngine {
  readonly #worker: Worker;
  readonly #calls: Calls<Called>;
  readonly #onEnd: (error: Error) => void;
  readonly #watch = new AbortController();
  #ended: Error | null = null;

  /** @param onEnd called once, when the Worker is no more or was ended */
  constructor(worker: Worker, onEnd: (error: Error) => void) {
    this.#worker = worker;
    this.#onEnd = onEnd;
    this.#calls = new Calls(portTransport(worker));
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
    const lock = await this.#calls.call('hello', []);
    const { signal } = this.#watch;
    const ended = (): void => this.end(new PortError('UNAVAILABLE', 'the Worker has ended'));
    // Refused only when `end` aborts it.
    navigator.locks.request(lock, { signal }, ended).catch(() => undefined);
    this.#calls.call('lost', []).then(
      (error) => this.end(fromWire(error)),
      () => undefined,
    );
  }

  /**
   * Calls the Worker.
   * @throws what its engine threw; {PortError} UNAVAILABLE when the Worker ends meanwhile
   */
  readonly call: EngineCall = async (...call) => {
    if (this.#ended !== null) throw this.#ended;
    return await this.#calls.call(...call);
  };

  /** Ends the Worker; calls that wait, and all later ones, are refused with the error. */
  end(error: Error): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#watch.abort();
    this.#worker.terminate();
    this.#calls.end(error);
    this.#onEnd(error);
  }
}
