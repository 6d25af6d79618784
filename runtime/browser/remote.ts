// The page's line to the Worker: calls that end when the Worker does; knows no statement.

import { PortError } from '../base/errors.ts';
import { PRODUCE_UNDER_WAY_MAX } from '../base/limits.ts';
import type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
import type { Handed, Transport } from '../ports/transport.ts';
import { Calls } from '../ports/calls.ts';
import { behindMicrotasks } from '../ports/behind-microtasks.ts';
import { Line } from '../ports/line.ts';
import { whenFree } from './held-lock.ts';
import { workerEnd } from './plain-copy.ts';
import { ProduceCalls } from './produce-calls.ts';
import { fromWire } from '../ports/from-wire.ts';
import type { RareCalls } from './rare-calls.ts';
import type { EngineWorker } from './worker.ts';

/** Calls of the Worker's object, and of what is rarely called of it. */
export type EngineCalls = Calls<Omit<EngineWorker, 'rarer'> & RareCalls>;

/** Why there is no engine to call. */
export function unavailable(why: string): PortError {
  return new PortError('UNAVAILABLE', why);
}

/** What is used of a Worker: a tab without one of its own has another such. */
export interface EnginePort {
  postMessage(message: unknown, transfer: Handed[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

/** A Worker that answers, and the news of its end. */
export class RemoteEngine {
  readonly #worker: EnginePort;
  readonly #line: Line;
  /** Channels ever opened beside that of the calls. */
  #channels = 0;
  /** Waits for the end of the turn, or for an answer to what is under way. */
  #produced: ProduceCalls | null = null;
  #underWay = 0;
  readonly #calls: EngineCalls;
  readonly #onEnd: (error: Error) => void;
  readonly #watch = new AbortController();
  #ended: Error | null = null;

  /** @param onEnd called once, when the Worker is no more or was ended */
  constructor(worker: EnginePort, onEnd: (error: Error) => void) {
    this.#worker = worker;
    this.#onEnd = onEnd;
    this.#line = new Line(workerEnd(worker), behindMicrotasks);
    this.#calls = new Calls(this.#line.channel(0));
    // Fired when the Worker's script cannot be loaded, and for what it does not catch.
    worker.addEventListener('error', (event) => {
      this.end(
        unavailable(
          `the Worker failed: ${event.message || 'its script did not load (docs/pages.md)'}`,
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
    whenFree(lock, this.#watch.signal, () => this.end(unavailable('the Worker has ended')));
    this.#calls.call('lost', []).then(
      (error) => this.end(fromWire(error)),
      () => undefined,
    );
  }

  /**
   * Calls the Worker.
   * @throws what its engine threw; {PortError} UNAVAILABLE when the Worker ends meanwhile
   */
  readonly call: EngineCalls['call'] = async (...call) => {
    void this.#sendProduced();
    if (this.#ended !== null) throw this.#ended;
    return await this.#calls.call(...call);
  };

  /**
   * Calls for one topic go over as one, and are appended as one: those of one turn, and those that come while others are under way.
   * @throws what the log refuses of the call's own records; {PortError} UNAVAILABLE as `call`
   */
  produce(topic: string, records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    if (this.#produced?.topic !== topic || this.#produced.isFull) {
      void this.#sendProduced();
      this.#produced = new ProduceCalls(topic);
      behindMicrotasks(this.#sendSome);
    }
    return this.#produced.add(records);
  }

  readonly #sendSome = (): void => {
    if (this.#underWay < PRODUCE_UNDER_WAY_MAX) void this.#sendProduced();
  };

  async #sendProduced(): Promise<void> {
    const calls = this.#produced;
    if (calls === null) return;
    this.#produced = null;
    this.#underWay += 1;
    await calls.send(this.call);
    this.#underWay -= 1;
    this.#sendSome();
  }

  /** A channel of its own, with its number for the Worker. */
  channel(): { readonly id: number; readonly transport: Transport } {
    const id = ++this.#channels;
    return { id, transport: this.#line.channel(id) };
  }

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
