// Calls of `produce` for one topic that go to the Worker as one; knows no Worker.

import { PRODUCE_BYTES_MAX, PRODUCE_CALLS_MAX } from '../base/limits.ts';
import type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
import { placesOf } from './packed-places.ts';
import { buffersOf, RecordPacker } from './packed-records.ts';
import { fromWire } from '../ports/from-wire.ts';
import type { EngineWorker, ProducedPlaces } from './worker.ts';

interface Waiting {
  readonly resolve: (places: readonly ProducedAt[]) => void;
  readonly reject: (thrown: unknown) => void;
}

/** To be filled, and sent once. */
export class ProduceCalls {
  readonly topic: string;
  readonly #packer = new RecordPacker();
  /** Records of each call. */
  readonly #counts: number[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(topic: string) {
    this.topic = topic;
  }

  get isFull(): boolean {
    return (
      this.#counts.length >= PRODUCE_CALLS_MAX || this.#packer.lengthBytes >= PRODUCE_BYTES_MAX
    );
  }

  /** Takes a call. @returns what becomes of it */
  add(records: readonly ProducedRecord[]): Promise<readonly ProducedAt[]> {
    return new Promise((resolve, reject) => {
      this.#packer.add(records);
      this.#counts.push(records.length);
      this.#waiting.push({ resolve, reject });
    });
  }

  /** @param call calls the Worker */
  async send(call: (...sent: Sent) => Promise<ProducedPlaces>): Promise<void> {
    const records = this.#packer.packed();
    try {
      const { places, errors } = await call(
        'produce',
        [this.topic, records, this.#counts],
        buffersOf(records),
        true,
      );
      let at = 0;
      this.#waiting.forEach(({ resolve, reject }, i) => {
        const error = errors[i];
        const own = placesOf(places, at, (at += this.#counts[i] ?? 0));
        if (error === undefined) resolve(own);
        else reject(fromWire(error));
      });
    } catch (thrown) {
      for (const { reject } of this.#waiting) reject(thrown);
    }
  }
}

type Sent = [
  method: 'produce',
  given: Parameters<EngineWorker['produce']>,
  transfer: readonly ArrayBuffer[],
  mayWait: true,
];
