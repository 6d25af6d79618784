// The log port in a Worker: every call is one to the engine's thread, which has the log; knows no task.

import type {
  AppendResult,
  Bounds,
  Fetched,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../ports/log.ts';
import type { Calls } from '../ports/calls.ts';
import { Wakes } from '../ports/wakes.ts';
import type { LogCall } from './messages.ts';
import type { ServedPorts } from './served-ports.ts';

type Stamped = [producer?: ProducerStamp | undefined, incarnation?: string | undefined];

/** One a Worker. */
export class RemoteLog implements Log {
  readonly isRemote = true;
  readonly #calls: Calls<ServedPorts>;
  readonly #wakes = new Wakes();

  constructor(calls: Calls<ServedPorts>) {
    this.#calls = calls;
  }

  create(topic: TopicSpec): Promise<TopicDescription> {
    return this.#call('create', [topic]);
  }

  remove(topic: string): Promise<void> {
    return this.#call('remove', [topic]);
  }

  describe(topic: string): Promise<TopicDescription | null> {
    return this.#call('describe', [topic]);
  }

  list(): Promise<readonly TopicDescription[]> {
    return this.#call('list', []);
  }

  append(at: TopicPartition, bytes: Uint8Array, ...by: Stamped): Promise<AppendResult> {
    // A view would bring all of its buffer along.
    const own = bytes.slice();
    return this.#call('append', [at, own, ...by], [own.buffer]);
  }

  read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    return this.#calls.call('read', [at, from, bytesMax]);
  }

  bounds(at: TopicPartition): Promise<Bounds> {
    return this.#call('bounds', [at]);
  }

  offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return this.#call('offsetForTime', [at, ms]);
  }

  trim(at: TopicPartition, before: number): Promise<void> {
    return this.#call('trim', [at, before]);
  }

  async #call<Name extends LogCall>(
    name: Name,
    given: Parameters<Log[Name]>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<Log[Name]>>> {
    const answer = await this.#calls.call('log', [name, given], transfer);
    // It is what the log's method of that name gave.
    return answer as Awaited<ReturnType<Log[Name]>>;
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    const unsubscribe = this.#wakes.subscribe(at, wake);
    // Both are refused only when the engine's thread is gone, and this one with it.
    void this.#calls.call('watch', [at]).catch(() => undefined);
    let isWatched = true;
    return () => {
      unsubscribe();
      if (isWatched) void this.#calls.call('unwatch', [at]).catch(() => undefined);
      isWatched = false;
    };
  }

  /** The engine's log has told of more. */
  wake(at: TopicPartition): void {
    this.#wakes.wake(at);
  }
}
