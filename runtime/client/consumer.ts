// A consumer of the client: the records of one or all partitions of a topic as they come, each once; knows no byte format.

import { asyncDispose } from '../base/async-dispose.ts';
import { LimitError, PortError, StatementError } from '../base/errors.ts';
import { CONSUMER_FETCHES_MAX, FETCH_BYTES_MAX, SOCKET_SUBSCRIPTIONS_MAX } from '../base/limits.ts';
import { checkOption, checkOptions } from '../base/options.ts';
import { recordAt, type TopicRecord } from '../data/topic-record.ts';
import { endedBy } from '../ports/ended-by.ts';
import type { Connection } from './connection.ts';
import type { ConsumedBatch } from './frames.ts';
import { offsetForTime, PartitionReader, type Reset, type Start } from './partition-reader.ts';
import { Topics } from './topics.ts';

/** What a consumer reads, from where, and how. */
export interface ConsumerOptions {
  readonly topic: string;
  /** One partition; `all` when absent. */
  readonly partition?: number | 'all' | undefined;
  /** Where to begin; `earliest` when absent. */
  readonly from?: Start | undefined;
  /** Of which topic by this name, as `topics.describe` told, `from` is an offset; another one is refused with INCARNATION_CHANGED. Absent: the present one. */
  readonly incarnation?: string | undefined;
  /** Where to go on when retention has removed the next record: `fail` (the default) with OFFSET_OUT_OF_RANGE, or at an end of the log. */
  readonly reset?: Reset | undefined;
  /**
   * What carries the records: `poll` (the default), requests that wait at the edge; or `socket`, a WebSocket that all such consumers of the
   * client share, for at most SOCKET_SUBSCRIPTIONS_MAX partitions each, and that costs the edge nothing while it is quiet.
   */
  readonly transport?: 'poll' | 'socket' | undefined;
  /** Ends it, as `close` does. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS = {
  topic: 'string',
  partition: "number | 'all'",
  from: "'earliest' | 'latest' | number | { timestamp }",
  incarnation: 'string',
  reset: "'fail' | 'earliest' | 'latest'",
  transport: "'poll' | 'socket'",
  signal: 'object',
};

/** How long a fetch waits at the edge for a record. */
const WAIT_MS = 25_000;
/** Where there are more partitions than fetches: within this time each is asked. */
const ROUND_MS = 1_000;

/** What came of one fetch. */
interface Fetched {
  readonly reader: PartitionReader;
  readonly generation: number;
  readonly batches: readonly ConsumedBatch[];
  /** null: all went well. */
  readonly error: unknown;
}

/** A batch of a fetch that still counts. */
interface Found {
  readonly reader: PartitionReader;
  readonly generation: number;
  readonly batch: ConsumedBatch;
}

/**
 * Reads a topic: `for await (const record of consumer)`. Within a partition records come in their order, each once, whatever is cut on
 * the way; between partitions no order is promised. Whoever leaves the loop may begin another one: it goes on behind the last
 * record that was given out. One loop at a time.
 */
export class Consumer implements AsyncIterable<TopicRecord>, AsyncDisposable {
  readonly #connection: Connection;
  readonly #options: ConsumerOptions;
  readonly #control = new AbortController();
  #readers: Promise<readonly PartitionReader[]> | null = null;
  #isRead = false;

  /** @throws {TypeError} for options that are none */
  constructor(connection: Connection, options: ConsumerOptions) {
    checkOptions('consumer', options, OPTIONS, 'topic');
    this.#connection = connection;
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted === true) this.#control.abort();
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  /** Reactive frameworks wrap what says `Object` in proxies, which have no private members. */
  get [Symbol.toStringTag](): string {
    return 'Consumer';
  }

  /**
   * Resolves when it is settled where it begins: `latest` then means what comes after this call.
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION; UNAVAILABLE
   */
  async ready(): Promise<void> {
    await this.#opened();
  }

  /** The offset of the next record of each partition. */
  async positions(): Promise<ReadonlyMap<number, number>> {
    const readers = await this.#opened();
    return new Map(readers.map(({ partition, position }) => [partition, position]));
  }

  /**
   * Goes on elsewhere, in one partition or (absent) in all.
   * @throws {PortError} UNKNOWN_TOPIC; UNKNOWN_PARTITION for one that it does not read; UNAVAILABLE
   * @throws {TypeError} for what is no place
   */
  async seek(to: Start, partition?: number): Promise<void> {
    checkOption('seek', 'to', to, OPTIONS.from);
    if (partition !== undefined) checkOption('seek', 'partition', partition, 'number');
    const readers = await this.#opened();
    const moved = readers.filter(
      (reader) => partition === undefined || reader.partition === partition,
    );
    if (moved.length === 0) {
      const message = `this consumer does not read partition ${partition} of '${this.#options.topic}'`;
      throw new PortError('UNKNOWN_PARTITION', message);
    }
    const offsets = await this.#offsets(
      to,
      moved.map((reader) => reader.partition),
    );
    moved.forEach((reader, i) => reader.seek(offsets.positions[i] ?? 0));
  }

  /**
   * The records as the batches that they lie in. A batch counts as read once it is given out.
   * @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION, OFFSET_OUT_OF_RANGE, CORRUPT; INCARNATION_CHANGED when the topic was dropped and
   *   created again; UNAVAILABLE when the edge did not answer for long. Another loop goes on where this one ended
   */
  batches(): AsyncGenerator<ConsumedBatch, void, undefined> {
    return this.#loop((found) => this.#batches(found));
  }

  async *#batches(all: AsyncIterable<Found>): AsyncGenerator<ConsumedBatch, void, undefined> {
    for await (const { reader, batch } of all) {
      reader.position = batch.end;
      yield batch;
    }
  }

  /** @throws as `batches` */
  [Symbol.asyncIterator](): AsyncGenerator<TopicRecord, void, undefined> {
    return this.#loop((found) => this.#records(found));
  }

  async *#records(all: AsyncIterable<Found>): AsyncGenerator<TopicRecord, void, undefined> {
    for await (const { reader, generation, batch } of all) {
      // Behind its last record a compacted batch covers offsets of records that are gone.
      const { count } = batch.records;
      if (batch.first >= count && reader.generation === generation) reader.position = batch.end;
      for (let i = batch.first; i < count; i++) {
        if (reader.generation !== generation || this.#control.signal.aborted) break;
        const record = recordAt(batch, batch.records, i);
        reader.position = i + 1 === count ? batch.end : record.offset + 1;
        yield record;
      }
    }
  }

  /** Ends it: the loop ends, and another one has nothing to read. */
  async close(): Promise<void> {
    this.#end();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #end = (): void => {
    this.#options.signal?.removeEventListener('abort', this.#end);
    this.#control.abort();
  };

  /** A loop over what is made of all that comes; it may be left while it waits. */
  #loop<T>(
    of: (all: AsyncIterable<Found>) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    const control = new AbortController();
    return endedBy(of(this.#found(control)), () => control.abort());
  }

  async *#found(control: AbortController): AsyncGenerator<Found, void, undefined> {
    if (this.#isRead)
      throw new StatementError('INVALID', 'a consumer is read by one loop at a time');
    this.#isRead = true;
    const end = (): void => control.abort();
    this.#control.signal.addEventListener('abort', end, { once: true });
    try {
      if (this.#control.signal.aborted) return;
      const readers = await this.#opened();
      for (const reader of readers) reader.rewind();
      yield* this.#merged(readers, control.signal);
    } finally {
      this.#control.signal.removeEventListener('abort', end);
      control.abort();
      for (const reader of (await this.#readers?.catch(() => null)) ?? []) reader.rest();
      this.#isRead = false;
    }
  }

  /** The partitions take turns; a few are asked at a time, and what came is given out while the next fetch is under way. */
  async *#merged(
    readers: readonly PartitionReader[],
    signal: AbortSignal,
  ): AsyncGenerator<Found, void, undefined> {
    const most =
      this.#options.transport === 'socket' ? SOCKET_SUBSCRIPTIONS_MAX : CONSUMER_FETCHES_MAX;
    const rounds = Math.ceil(readers.length / most);
    const waitMs = rounds === 1 ? WAIT_MS : Math.ceil(ROUND_MS / rounds);
    const options = { bytesMax: FETCH_BYTES_MAX, waitMs, signal };
    const idle = [...readers];
    // Not a race of their promises: one that stays open would keep all that came of the others.
    const arrived: Fetched[] = [];
    let wake = (): void => undefined;
    let underWay = 0;
    const fetch = async (reader: PartitionReader): Promise<void> => {
      underWay++;
      arrived.push(await fetched(reader, options));
      underWay--;
      wake();
    };
    for (;;) {
      while (underWay + arrived.length < most) {
        const reader = idle.shift();
        if (reader === undefined) break;
        void fetch(reader);
      }
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { reader, generation, batches, error } = next;
      if (signal.aborted) return;
      if (error !== null) throw error;
      if (readers.length <= most) void fetch(reader);
      else idle.push(reader);
      for (const batch of batches) {
        if (reader.generation !== generation) break;
        yield { reader, generation, batch };
        if (signal.aborted) return;
      }
    }
  }

  #opened(): Promise<readonly PartitionReader[]> {
    this.#readers ??= this.#open().catch((thrown: unknown) => {
      this.#readers = null; // Another call may have more luck.
      throw thrown;
    });
    return this.#readers;
  }

  async #open(): Promise<readonly PartitionReader[]> {
    const { topic, partition = 'all', from = 'earliest', reset = 'fail' } = this.#options;
    const { transport = 'poll' } = this.#options;
    const { partitions, positions, incarnation } = await this.#offsets(
      from,
      partition === 'all' ? null : [partition],
    );
    if (transport === 'socket' && partitions.length > SOCKET_SUBSCRIPTIONS_MAX) {
      const message = `a consumer over a socket reads at most ${SOCKET_SUBSCRIPTIONS_MAX} partitions; '${topic}' has ${partitions.length}`;
      throw new LimitError('SOCKET_SUBSCRIPTIONS_MAX', message);
    }
    const sockets = transport === 'socket' ? await this.#connection.sockets() : null;
    return partitions.map((number, i) => {
      const position = positions[i] ?? 0;
      return new PartitionReader({
        connection: this.#connection,
        topic,
        partition: number,
        position,
        incarnation: this.#options.incarnation ?? incarnation,
        reset,
        subscription: sockets?.subscription({ topic, partition: number }) ?? null,
      });
    });
  }

  /** @param wanted null: all partitions */
  async #offsets(
    start: Start,
    wanted: readonly number[] | null,
  ): Promise<{
    readonly partitions: readonly number[];
    readonly positions: readonly number[];
    readonly incarnation: string | null;
  }> {
    const { topic } = this.#options;
    if (wanted !== null && typeof start === 'number') {
      return { partitions: wanted, positions: wanted.map(() => start), incarnation: null };
    }
    const { incarnation, bounds } = await new Topics(this.#connection).describe(topic);
    const partitions = wanted ?? bounds.map(({ partition }) => partition);
    const positions = await Promise.all(
      partitions.map(async (partition) => {
        if (typeof start === 'number') return start;
        if (typeof start === 'object') {
          return offsetForTime(this.#connection, { topic, partition }, start.timestamp);
        }
        const known = bounds[partition];
        // A partition that does not exist is refused by the first fetch.
        return (start === 'earliest' ? known?.start : known?.highWatermark) ?? 0;
      }),
    );
    return { partitions, positions, incarnation };
  }
}

/** It never rejects: nobody may be waiting for it. */
async function fetched(
  reader: PartitionReader,
  options: Parameters<PartitionReader['fetch']>[0],
): Promise<Fetched> {
  const { generation } = reader;
  try {
    return { reader, generation, batches: await reader.fetch(options), error: null };
  } catch (error) {
    return { reader, generation, batches: [], error };
  }
}
