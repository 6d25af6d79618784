// Calls of `produce` that come in together, appended as one, each with an outcome of its own; knows no log.

import { PortError } from '../base/errors.ts';
import type { EngineCore } from '../engine/engine-core.ts';
import type { ProducedAt } from '../engine/insert.ts';
import type { PackedRecords } from './packed-records.ts';
import { type UnpackedRecord, unpacked } from './unpacked-records.ts';
import { toWire, type WireError } from '../ports/wire-error.ts';

/** What became of the records, and of the calls that brought them. */
export interface Appended {
  /** By record; undefined: it was refused. */
  readonly places: readonly (ProducedAt | undefined)[];
  /** By call; undefined: none of its records was refused. */
  readonly errors: readonly (WireError | undefined)[];
}

interface Appending extends UnpackedRecord {
  place?: ProducedAt | undefined;
}

interface ProduceCall {
  readonly records: readonly Appending[];
  error?: WireError;
}

interface Gathered {
  readonly topic: string;
  readonly calls: ProduceCall[];
  readonly done: Promise<void>;
}

/** One append after the other; what comes in meanwhile is gathered for the next one. */
export class Appends {
  readonly #produce: EngineCore['produce'];
  /** Resolves when all that has come in is done. */
  last: Promise<void> = Promise.resolve();
  /** Has not begun. */
  #gathered: Gathered | null = null;

  constructor(produce: EngineCore['produce']) {
    this.#produce = produce;
  }

  /** @param counts how many of the records belong to each call */
  async add(topic: string, packed: PackedRecords, counts: readonly number[]): Promise<Appended> {
    const records: readonly Appending[] = unpacked(packed);
    let at = 0;
    const calls = counts.map((count): ProduceCall => ({
      records: records.slice(at, (at += count)),
    }));
    if (this.#gathered?.topic !== topic) this.#gathered = this.#begun(topic);
    this.#gathered.calls.push(...calls);
    await this.#gathered.done;
    return {
      places: records.map(({ place }) => place),
      errors: calls.map(({ error }) => error),
    };
  }

  #begun(topic: string): Gathered {
    const calls: ProduceCall[] = [];
    this.last = this.last.then(() => {
      if (this.#gathered?.calls === calls) this.#gathered = null;
      return this.#append(topic, calls);
    });
    return { topic, calls, done: this.last };
  }

  /** Appends the records that have no place. When that is refused it tries each half: so only those calls are refused that are to blame. */
  async #append(topic: string, calls: readonly ProduceCall[]): Promise<void> {
    const left: Appending[] = [];
    for (const { records } of calls)
      for (const record of records) if (record.place === undefined) left.push(record);
    const places: ProducedAt[] = [];
    const place = (): void => left.forEach((record, i) => (record.place = places[i]));
    try {
      await this.#produce(topic, left, places);
      place();
    } catch (thrown) {
      place();
      const half = calls.length >> 1;
      // After UNAVAILABLE they may have been appended: to do it again might double them.
      if (half > 0 && !(thrown instanceof PortError && thrown.code === 'UNAVAILABLE')) {
        await this.#append(topic, calls.slice(0, half));
        await this.#append(topic, calls.slice(half));
        return;
      }
      for (const call of calls) {
        const isPlaced = call.records.every((record) => record.place !== undefined);
        if (half === 0 || !isPlaced) call.error = toWire(thrown);
      }
    }
  }
}
