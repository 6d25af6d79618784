// Who is told that a partition has more, until each has acknowledged it; a hint brings the newest batches along where they are small. Knows no storage.

import type { Bounds, Fetched, FetchedBatch } from '../../runtime/ports/log.ts';

/** How long after an append the alarm repeats hints that were not acknowledged; doubles up to the maximum. */
export const HINT_RETRY_MS = 1_000;
const HINT_RETRY_MS_MAX = 2_000;

export interface HintsOptions {
  /** null: the partition is not open. */
  readonly bounds: () => Bounds | null;
  /** The batches from an offset on up to the high watermark; null where they are not at hand, or none begins there. */
  readonly recent: (from: number) => readonly FetchedBatch[] | null;
  readonly subscribers: () => readonly string[];
  readonly unsubscribe: (name: string) => void;
  /** Calls one of them. @returns false when it does not want to know @throws when it does not answer */
  readonly wake: (name: string, highWatermark: number, brought: Fetched | null) => Promise<boolean>;
}

/** How far one subscriber has been told. */
interface Told {
  /** The high watermark that it has acknowledged; -1: none. */
  highWatermark: number;
  isTelling: boolean;
}

/** Each is told by itself: one that is slow to answer, as a task in a long turn is, holds up no other. */
export class Hints {
  readonly #options: HintsOptions;
  /** Lost with the instance: all are told again then. An answer for one that has subscribed anew since is an answer for an entry that is gone. */
  readonly #told = new Map<string, Told>();
  #retryMs = HINT_RETRY_MS;

  constructor(options: HintsOptions) {
    this.#options = options;
  }

  /** How long after an append, or after `tellAll`, the alarm is to come for what is left. */
  get retryMs(): number {
    return this.#retryMs;
  }

  /** Somebody is to be told. */
  get isBehind(): boolean {
    return this.#untold().length > 0;
  }

  /** One that subscribes is told from the beginning. */
  subscribed(name: string): void {
    this.#told.delete(name);
  }

  unsubscribed(name: string): void {
    this.#told.delete(name);
  }

  closed(): void {
    this.#told.clear();
  }

  /** What was not acknowledged waits longer each time. */
  postpone(): void {
    this.#retryMs = Math.min(this.#retryMs * 2, HINT_RETRY_MS_MAX);
  }

  /** Tells every subscriber of the high watermark until it is not behind or does not answer. Never rejects. */
  async tellAll(): Promise<void> {
    await Promise.all(this.#untold().map((name) => this.#tell(name)));
    if (!this.isBehind) this.#retryMs = HINT_RETRY_MS;
  }

  #untold(): string[] {
    const bounds = this.#options.bounds();
    if (bounds === null) return [];
    return this.#options
      .subscribers()
      .filter((name) => (this.#told.get(name)?.highWatermark ?? -1) < bounds.highWatermark);
  }

  async #tell(name: string): Promise<void> {
    const told = this.#told.get(name) ?? { highWatermark: -1, isTelling: false };
    if (told.isTelling) return;
    told.isTelling = true;
    this.#told.set(name, told);
    try {
      for (;;) {
        const bounds = this.#options.bounds();
        if (bounds === null || told.highWatermark >= bounds.highWatermark) return;
        const brought = this.#brought(told, bounds);
        const isKnown = await this.#options.wake(name, bounds.highWatermark, brought);
        if (this.#told.get(name) !== told) return;
        if (!isKnown) {
          this.#told.delete(name);
          this.#options.unsubscribe(name);
          return;
        }
        told.highWatermark = bounds.highWatermark;
      }
    } catch {
      // Unreachable for now; the alarm asks again.
    } finally {
      told.isTelling = false;
    }
  }

  /** What has come since it was last told, as a read would give it; null where that is not at hand. */
  #brought({ highWatermark }: Told, bounds: Bounds): Fetched | null {
    const batches = highWatermark < 0 ? null : this.#options.recent(highWatermark);
    return batches && { batches, ...bounds };
  }
}
