// The log port over IndexedDB: one row a record batch; knows no engine and no Worker.

import { assert } from '../base/assert.ts';
import { PortError } from '../base/errors.ts';
import { PARTITIONS_MAX } from '../base/limits.ts';
import { PartMissing } from '../base/part.ts';
import { parseRecordBatch } from '../data/record.ts';
import type {
  AppendResult,
  Bounds,
  Fetched,
  FetchedBatch,
  Log,
  ProducerStamp,
  TopicDescription,
  TopicPartition,
  TopicSpec,
  Unsubscribe,
} from '../ports/log.ts';
import { describedTopic, policyOf } from '../ports/topic-policy.ts';
import { needsUpkeep } from '../ports/upkeep.ts';
import { Wakes } from '../ports/wakes.ts';
import type { PartitionRow, ReadTransaction } from './database.ts';
import {
  type Append,
  type Appended,
  appendIn,
  type AppendRows,
  NO_POLICY,
  partitionIn,
} from './idb-append.ts';
import type { LogCompanion } from './log-companion.ts';
import { RARE_ROWS } from './parts.ts';
import { asked } from './requests.ts';
import { type IdbOptions, read, write } from './transactions.ts';

/** Batches asked for at once while a fetch fills up, however small they are. */
const READ_BATCHES_MAX = 256;

/** What one transaction appends at most, unless a single batch is more. */
const GROUP_BYTES = 4_194_304;

/** Few pages that only look make so many appends, and need not load its code. */
const APPENDS_BEFORE_COMPANION = 32;

interface QueuedAppend extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (thrown: unknown) => void;
}

/** Topics in IndexedDB: what an append resolves with stands in the database. */
export class IdbLog implements Log {
  readonly #options: IdbOptions;
  readonly #wakes = new Wakes();
  /** null: it has not been needed until now. */
  #companion: LogCompanion | null = null;
  #appends = 0;
  /** Appends that wait, those of the running transaction first. */
  readonly #queue: QueuedAppend[] = [];

  constructor(options: IdbOptions) {
    this.#options = options;
  }

  get isAppending(): boolean {
    return this.#queue.length > 0;
  }

  async create(topic: TopicSpec): Promise<TopicDescription> {
    assert(
      topic.partitions >= 1 && topic.partitions <= PARTITIONS_MAX,
      'a topic has 1 .. PARTITIONS_MAX partitions',
    );
    const incarnation = `${this.#options.now()}-${crypto.randomUUID()}`;
    const description = describedTopic(topic, incarnation);
    return await write(this.#options, 'creating a topic', async (transaction) => {
      const topics = transaction.objectStore('topics');
      if ((await asked(topics.get(topic.name))) !== undefined) {
        throw RARE_ROWS.code.topicExists(topic.name);
      }
      topics.put(description, topic.name);
      const empty: PartitionRow = {
        start: 0,
        highWatermark: 0,
        incarnation,
        forgottenMs: -Infinity,
        producers: 0,
        lengthBytes: 0,
        policy: policyOf(topic),
      };
      for (let partition = 0; partition < topic.partitions; partition++) {
        transaction.objectStore('partitions').put(empty, [topic.name, partition]);
      }
      return description;
    });
  }

  async remove(topic: string): Promise<void> {
    for (const at of await (await this.companion()).remove(topic)) this.#wakes.wake(at);
  }

  async describe(topic: string): Promise<TopicDescription | null> {
    const ask = (): Promise<TopicDescription | undefined> =>
      read(this.#options, 'a look at topics', (transaction) =>
        asked(transaction.objectStore('topics').get(topic)),
      );
    return (await (this.#companion?.describe(topic, ask) ?? ask())) ?? null;
  }

  list(): Promise<readonly TopicDescription[]> {
    return read(this.#options, 'a look at topics', (transaction) =>
      asked(transaction.objectStore('topics').getAll()),
    );
  }

  append(
    at: TopicPartition,
    bytes: Uint8Array,
    producer?: ProducerStamp | undefined,
    incarnation?: string | undefined,
  ): Promise<AppendResult> {
    const nowMs = this.#options.now();
    return new Promise((resolve, reject) => {
      this.#queue.push({ at, bytes, producer, incarnation, nowMs, resolve, reject });
      if (this.#queue.length === 1) void this.#appendQueued();
    });
  }

  /** Group commit: what waits while one transaction runs is appended by the next, each judged by itself. */
  async #appendQueued(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      try {
        const settle = await write(this.#options, 'an append', async (transaction) => {
          const settled: (() => void)[] = [];
          const rows: AppendRows = new Map();
          for (const append of group) {
            try {
              const appended = await appendIn(transaction, rows, append);
              settled.push(() => {
                this.appended(appended);
                append.resolve(appended.result);
              });
            } catch (refusal) {
              // Refused before anything was written; what else goes wrong goes wrong for all.
              if (!(refusal instanceof PortError)) throw refusal;
              settled.push(() => append.reject(refusal));
            }
          }
          return settled;
        });
        for (const done of settle) done();
      } catch (failure) {
        for (const { reject } of group) reject(failure);
      }
      this.#queue.splice(0, group.length);
    }
  }

  /** The oldest appends that wait: as many as GROUP_BYTES holds, one at least. They stay queued while they are made. */
  #nextGroup(): readonly QueuedAppend[] {
    let bytes = 0;
    const beyond = this.#queue.findIndex((append) => (bytes += append.bytes.length) > GROUP_BYTES);
    return this.#queue.slice(0, beyond < 0 ? undefined : Math.max(1, beyond));
  }

  async read(at: TopicPartition, from: number, bytesMax: number): Promise<Fetched> {
    return (
      this.#companion?.read(at, from, bytesMax) ??
      (await read(this.#options, 'a read', (transaction) =>
        fetched(transaction, at, from, bytesMax),
      ))
    );
  }

  bounds(at: TopicPartition): Promise<Bounds> {
    return read(this.#options, 'a look at a partition', async (transaction) => {
      const { start, highWatermark, incarnation } = await partitionIn(transaction, at);
      return { start, highWatermark, incarnation };
    });
  }

  async offsetForTime(at: TopicPartition, ms: number): Promise<number> {
    return await (await this.companion()).offsetForTime(at, ms);
  }

  async trim(at: TopicPartition, before: number): Promise<void> {
    await (await this.companion()).trim(at, before);
  }

  subscribe(at: TopicPartition, wake: () => void): Unsubscribe {
    return this.#wakes.subscribe(at, wake);
  }

  /** Tells subscribers, in a later turn, what a transaction has appended that is complete; the store calls it too, after a commit. */
  appended(appended: Appended): void {
    if (appended.bytes === null) return;
    this.#wakes.wake(appended.at);
    if (this.#companion !== null) return this.#companion.appended(appended);
    const { policy = NO_POLICY } = appended.row;
    if (++this.#appends % APPENDS_BEFORE_COMPANION > 0 && !needsUpkeep(policy)) return;
    this.companion().then(
      (companion) => companion.look(appended),
      // All goes on without it, and a later append asks for it again.
      () => undefined,
    );
  }

  /** What is beside it, fetched if need be. */
  async companion(): Promise<LogCompanion> {
    const { LogCompanion } = await RARE_ROWS.load();
    return (this.#companion ??= new LogCompanion(this.#options));
  }
}

/** As `Log.read`. */
async function fetched(
  transaction: ReadTransaction,
  at: TopicPartition,
  from: number,
  bytesMax: number,
): Promise<Fetched> {
  const { start, highWatermark, incarnation } = await partitionIn(transaction, at);
  if (!(from >= start && from <= highWatermark))
    RARE_ROWS.code.checkOffset(at, from, { start, highWatermark });
  const batches: FetchedBatch[] = [];
  const answer = { batches, start, highWatermark, incarnation };
  if (from === highWatermark) return answer;
  const segments = transaction.objectStore('segments');
  const below = IDBKeyRange.bound([at.topic, at.partition], [at.topic, at.partition, from]);
  const first = await asked(segments.openKeyCursor(below, 'prev'));
  let next = first?.key[2] ?? from;
  let total = 0;
  let wanted = 1;
  while (next < highWatermark) {
    const range = IDBKeyRange.bound(
      [at.topic, at.partition, next],
      [at.topic, at.partition, highWatermark],
    );
    const [rows, keys] = await Promise.all([
      asked(segments.getAll(range, wanted)),
      asked(segments.getAllKeys(range, wanted)),
    ]);
    if (rows.length === 0) throw RARE_ROWS.code.missingBatch(at, next);
    for (const [i, { bytes, count }] of rows.entries()) {
      // A batch that is missing must not give its offsets to the one behind it.
      if (keys[i]?.[2] !== next || next + count <= from)
        throw RARE_ROWS.code.missingBatch(at, Math.max(next, from));
      if (batches.length > 0 && total + bytes.length > bytesMax) return answer;
      if (!isWhole(bytes, count)) RARE_ROWS.code.storedBatch(at, bytes, { base: next, count });
      batches.push({ base: next, count, bytes });
      total += bytes.length;
      next += count;
    }
    // As many as fit if the others are like these: a fetch of small batches takes few requests, one of large batches reads no more.
    const fitting = Math.floor(((bytesMax - total) * batches.length) / total);
    wanted = Math.min(Math.max(fitting, 1), READ_BATCHES_MAX);
  }
  return answer;
}

/** True when the bytes are a batch of that many offsets; why they are not, `storedBatch` says. */
function isWhole(bytes: Uint8Array, count: number): boolean {
  try {
    return parseRecordBatch(bytes).span === count;
  } catch (thrown) {
    if (thrown instanceof PartMissing) throw thrown;
    return false;
  }
}
