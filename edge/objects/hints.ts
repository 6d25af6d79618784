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

export class Hints {
  readonly #options: HintsOptions;
  /** High watermark that each subscriber has acknowledged; lost with the instance, then told again. */
  readonly #told = new Map<string, number>();
  /** Who has subscribed since it was last told something: an answer from before then does not unsubscribe it. */
  readonly #fresh = new Set<string>();
  #isTelling = false;
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
    const bounds = this.#options.bounds();
    return bounds !== null && this.#untold(bounds).length > 0;
  }

  /** One that subscribes is told from the beginning. */
  subscribed(name: string): void {
    this.#told.delete(name);
    this.#fresh.add(name);
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

  /** Tells every subscriber of the high watermark until none is behind or one does not answer. Never rejects. */
  async tellAll(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (;;) {
        const bounds = this.#options.bounds();
        const untold = bounds === null ? [] : this.#untold(bounds);
        if (bounds === null || untold.length === 0) {
          this.#retryMs = HINT_RETRY_MS;
          return;
        }
        const answers = await Promise.all(untold.map((name) => this.#tell(name, bounds)));
        if (!answers.every(Boolean)) return;
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #untold({ highWatermark }: Bounds): string[] {
    return this.#options
      .subscribers()
      .filter((name) => (this.#told.get(name) ?? -1) < highWatermark);
  }

  async #tell(name: string, bounds: Bounds): Promise<boolean> {
    this.#fresh.delete(name);
    try {
      const { highWatermark } = bounds;
      const known = await this.#options.wake(name, highWatermark, this.#brought(name, bounds));
      if (known) this.#told.set(name, highWatermark);
      else if (!this.#fresh.has(name)) this.#options.unsubscribe(name);
      return true;
    } catch {
      return false; // Unreachable for now; the alarm asks again.
    }
  }

  /** What has come since it was last told, as a read would give it; null where that is not at hand. */
  #brought(name: string, bounds: Bounds): Fetched | null {
    const told = this.#told.get(name);
    const batches = told === undefined ? null : this.#options.recent(told);
    return batches && { batches, ...bounds };
  }
}
