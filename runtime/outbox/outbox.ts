// An outbox of the client: records that are kept on this device and sent whenever there is a network, each once; knows no object store.

import { asyncDispose } from '../base/async-dispose.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import type { Connection } from '../client/connection.ts';
import { Retries } from '../client/retry.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { ProducedRecord } from '../engine/insert.ts';
import type { KeptRecord, RefusedRecord } from './kept.ts';
import { codeOf, OutboxSender } from './sender.ts';
import type { OutboxStore } from './store.ts';

/** Where an outbox keeps its records, and who is told of them. */
export interface OutboxOptions {
  /** The name of its database; tabs of one origin that name the same share it. */
  readonly database: string;
  /** Called with what is kept whenever that changes in this tab, and when sending begins or ceases to fail. */
  readonly onState?: ((state: OutboxState) => void) | undefined;
}

/** What an outbox keeps, and why it is not less. */
export interface OutboxState {
  /** Records that the edge has not acknowledged yet. */
  readonly pending: number;
  /** Records that the edge refuses: `refused` has them, `retry` and `discard` settle them. */
  readonly refused: number;
  /** Why some of it, or nothing, goes to the edge; it is tried again. null: all goes, or there is nothing. */
  readonly error: Error | null;
}

/** What the tab that sends says to the others, so often while there is something to send. One that is frozen, or hangs, does not. */
const ALIVE = 'alive';
const ALIVE_MS = 1000;
/** Another tab takes over when it has not been heard for so many times of that. */
const SILENT_MAX = 4;

/**
 * Keeps records in IndexedDB until the edge has them: `send` needs no network, and what was sent outlives the tab. Each record is appended
 * once, in the order of `send` within its partition, whatever is lost, repeated or closed on the way. Of the tabs that share an outbox one sends.
 */
export class Outbox implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: OutboxOptions;
  readonly #store: OutboxStore;
  readonly #control = new AbortController();
  /** Tells the tab that sends of records that others have kept, and all of what has changed. */
  readonly #channel: BroadcastChannel;
  readonly #done: Promise<void>;
  /** null: it is another tab's turn. */
  #sender: OutboxSender | null = null;
  /** Ends the wait for this tab's turn: it is taken. null: nothing waits. */
  #takeOver: (() => void) | null = null;
  /** Runs while there is something to send. */
  #timer: ReturnType<typeof setInterval> | null = null;
  /** How often in a row the tab that sends was not heard. */
  #silent = 0;
  /** Those that wait until nothing is pending. */
  #flushes: PromiseWithResolvers<void>[] = [];
  /** The waits between turns that ended with a fault. */
  readonly #faults = new Retries(null);
  #error: Error | null = null;
  /** The page is frozen: a transaction that it begins would stand open, and hold up those of all tabs for a minute. */
  #isFrozen = false;
  /** What is kept is being told; it has changed since it was last read. */
  #isTelling = false;
  #isStale = false;

  /** Use `openOutbox`. */
  constructor(connection: Connection, options: OutboxOptions, store: OutboxStore) {
    this.#connection = connection;
    this.#options = options;
    this.#store = store;
    this.#channel = new BroadcastChannel(nameOf(options));
    this.#channel.addEventListener('message', ({ data }) => {
      if (data === ALIVE) this.#silent = 0;
      else this.#heard();
    });
    // Chromium freezes a page and still hands it what the channel says.
    const until = { signal: this.#control.signal, capture: true };
    addEventListener('freeze', () => (this.#isFrozen = true), until);
    addEventListener('resume', this.#goOn, until);
    this.#done = this.#lead();
    void this.#tell();
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Outbox';
  }

  /**
   * Keeps a record. Resolves once it is on this device's disk; it is sent as soon as may be, by this tab or another.
   * @throws {PortError} RECORD_TOO_LARGE, INVALID_TIMESTAMP; STORAGE_FULL, and nothing is kept
   * @throws {LimitError} CLIENT_OUTBOX_RECORDS_MAX, CLIENT_OUTBOX_BYTES_MAX, HEADERS_MAX, HEADERS_BYTES_MAX
   */
  async send(topic: string, record: ProducedRecord): Promise<void> {
    await this.#store.add(keptOf(topic, record));
    this.#changed();
  }

  /** What is kept now, by any tab; the error is of this tab alone. */
  async state(): Promise<OutboxState> {
    const { pending, refused } = await this.#store.totals();
    return { pending, refused, error: this.#error };
  }

  /** The records that the edge refuses, in the order of `send`. */
  refused(): Promise<RefusedRecord[]> {
    return this.#store.refused();
  }

  /** Has a refused record sent again, behind all others. false: there is none with this id. */
  async retry(id: number): Promise<boolean> {
    const isThere = await this.#store.settle(id, true);
    this.#changed();
    return isThere;
  }

  /** Forgets a refused record. false: there is none with this id. */
  async discard(id: number): Promise<boolean> {
    const isThere = await this.#store.settle(id, false);
    this.#changed();
    return isThere;
  }

  /** Resolves when nothing is pending; what was refused is no longer. */
  async flush(): Promise<void> {
    const flush = Promise.withResolvers<void>();
    this.#flushes.push(flush);
    void this.#tell();
    return flush.promise;
  }

  /** Sends no more. What is kept stays, and is sent when the outbox is opened again. */
  async close(): Promise<void> {
    this.#control.abort();
    this.#watch(false);
    await this.#done;
    this.#channel.close();
    this.#store.close();
    const closed = new PortError('UNAVAILABLE', 'the outbox is closed');
    for (const flush of this.#flushes.splice(0)) flush.reject(closed);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Wakes whoever sends, here or in another tab. */
  readonly #changed = (): void => {
    this.#post(null);
    this.#heard();
  };

  readonly #goOn = (): void => {
    this.#isFrozen = false;
    this.#heard();
  };

  #heard(): void {
    if (this.#isFrozen) return;
    this.#sender?.wake();
    void this.#tell();
  }

  #post(message: null | typeof ALIVE): void {
    if (this.#control.signal.aborted) return;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of its own origin
    this.#channel.postMessage(message);
  }

  /** Tells what is kept; once more behind it where that changes meanwhile. */
  async #tell(): Promise<void> {
    this.#isStale = true;
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        const state = await this.state();
        if (state.pending === 0) for (const flush of this.#flushes.splice(0)) flush.resolve();
        this.#watch(state.pending > 0);
        this.#options.onState?.(state);
      }
    } catch (thrown) {
      for (const flush of this.#flushes.splice(0)) flush.reject(thrown);
      if (!this.#control.signal.aborted) throw thrown;
    } finally {
      this.#isTelling = false;
    }
  }

  /** What has come of the last attempt. */
  readonly #came = (error: Error | null): void => {
    const isNews = (error === null) !== (this.#error === null);
    this.#error = error;
    if (isNews) void this.#tell();
  };

  /** While there is something to send, whoever sends says so, and the others listen. */
  #watch(isOn: boolean): void {
    if (isOn && this.#timer === null && !this.#control.signal.aborted)
      this.#timer = setInterval(() => this.#tick(), ALIVE_MS);
    if (isOn || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#silent = 0;
  }

  #tick(): void {
    if (this.#sender !== null) this.#post(ALIVE);
    else if (++this.#silent >= SILENT_MAX) {
      this.#silent = 0;
      this.#takeOver?.();
    }
  }

  /** Sends whenever it is this tab's turn, until `close`. It never rejects. */
  async #lead(): Promise<void> {
    const { signal } = this.#control;
    let isTaken = false;
    while (!signal.aborted) {
      const waiting = new AbortController();
      const turn = new AbortController();
      const end = (): void => {
        waiting.abort();
        turn.abort();
      };
      signal.addEventListener('abort', end, { once: true });
      this.#takeOver = () => waiting.abort();
      const how = isTaken ? { steal: true } : { signal: waiting.signal };
      isTaken = false;
      try {
        await navigator.locks.request(nameOf(this.#options), how, () => this.#send(turn.signal));
      } catch (thrown) {
        isTaken = waiting.signal.aborted;
        await this.#ended(thrown);
      } finally {
        // Where another tab has taken over, this one may still be within its turn.
        end();
        signal.removeEventListener('abort', end);
      }
    }
  }

  async #send(signal: AbortSignal): Promise<void> {
    this.#takeOver = null;
    const sender = new OutboxSender({
      connection: this.#connection,
      store: this.#store,
      onCame: this.#came,
      onChanged: this.#changed,
      signal,
    });
    this.#sender = sender;
    this.#post(ALIVE);
    try {
      await sender.run();
    } finally {
      if (this.#sender === sender) this.#sender = null;
    }
  }

  /** A turn has ended: with `close`, because another tab has taken over or this one is to; else by a fault, which is told and waited out. */
  async #ended(thrown: unknown): Promise<void> {
    const { signal } = this.#control;
    const isAborted = thrown instanceof DOMException && thrown.name === 'AbortError';
    if (signal.aborted || isAborted || codeOf(thrown) === 'FENCED') return;
    this.#came(thrown instanceof Error ? thrown : new Error(String(thrown)));
    await this.#faults.wait(0, signal).catch(() => undefined); // `close` ends it
  }
}

/** The name of its database, its lock and its channel. */
export function nameOf({ database }: OutboxOptions): string {
  return `millrace outbox of ${database}`;
}

/** @throws as `send` */
function keptOf(topic: string, record: ProducedRecord): KeptRecord {
  const { partition = null, timestamp = Date.now(), headers = [] } = record;
  const [key, value] = [record.key ?? null, record.value].map((given) =>
    typeof given === 'string' ? encodeUtf8(given) : (given?.slice() ?? null),
  ) as [KeptRecord['key'], KeptRecord['value']];
  // It is told now, not when there is a network, that a record is none.
  new RecordBatchBuilder().append(key, value, timestamp, headers);
  return { topic, partition, key, value, timestamp, headers };
}
