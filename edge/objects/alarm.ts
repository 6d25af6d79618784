// The one alarm of an object: set for the earliest of what it is wanted for, and set again when it is overdue; knows no object.

/**
 * An alarm that should have fired this long ago is not waited for: after a handler that died the platform repeats it later and
 * later, and in the end not at all.
 */
const OVERDUE_MS = 1_000;

export class Alarm {
  readonly #storage: DurableObjectStorage;
  /** When it is set for; null when it is not. */
  #atMs: number | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Learns what is set; before anything is armed. */
  async load(): Promise<void> {
    this.#atMs = await this.#storage.getAlarm();
  }

  /** Sets it for `atMs`, unless it is set for an earlier time; durable with the turn it is called in. */
  arm(atMs: number): void {
    const setMs = this.#atMs;
    if (setMs !== null && setMs <= atMs && setMs >= Date.now() - OVERDUE_MS) return;
    this.#atMs = atMs;
    void this.#storage.setAlarm(atMs);
  }

  /** To be called first by the handler: nothing is set any more. */
  fired(): void {
    this.#atMs = null;
  }
}
