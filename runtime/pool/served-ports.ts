// The engine's side of a Worker's ports: answers its calls from the engine's own log and store; knows no task that runs.

import { existing } from '../base/assert.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { HandingOver } from '../ports/answers.ts';
import type { Host } from '../ports/host.ts';
import type { Fetched, TopicPartition, Unsubscribe } from '../ports/log.ts';
import type {
  OutboxAppend,
  Rebuilt,
  Restored,
  StateReader,
  TableId,
  TaskId,
} from '../ports/store.ts';
import type { Transport } from '../ports/transport.ts';
import { partitionKey } from '../ports/wakes.ts';
import { withParts } from '../task/with-parts.ts';
import { packOf } from '../state/packing.ts';
import type { LogCall, SentCommit, SentRestored } from './messages.ts';
import { buffersOf, changesOf, pageOf, type StatePage } from './packed-state.ts';

/** Batches begin at multiples of this in the buffer that they go over in. */
const ALIGNED_BYTES = 8;

type Committed = Pick<Restored, 'offsets' | 'streamTimes' | 'sequences'>;

interface Watched {
  readonly unsubscribe: Unsubscribe;
  /** How many in the Worker wait. */
  readers: number;
  /** The Worker was told, and has not read since. */
  isTold: boolean;
}

/** What one Worker calls; parts that it comes upon are fetched here. After `close` the Worker is no more, and nothing is told to it. */
export class ServedPorts {
  readonly #host: Pick<Host, 'log' | 'store'>;
  readonly #news: Transport;
  readonly #watched = new Map<string, Watched>();
  /** Of tasks whose state is on its way to the Worker. */
  readonly #loading = new Map<TaskId, StateReader>();
  #isClosed = false;

  /** @param news takes partitions of which there is more to read */
  constructor(host: Pick<Host, 'log' | 'store'>, news: Transport) {
    this.#host = host;
    this.#news = news;
  }

  /** A call of the log that goes over as it is. */
  log(name: LogCall, given: readonly unknown[]): Promise<unknown> {
    const { log } = this.#host;
    const call = log[name] as (...given: readonly unknown[]) => Promise<unknown>;
    return withParts(() => call.apply(log, [...given]));
  }

  /** The log may keep the bytes that it gives: they are copied once, into one buffer that goes over, of which the batches are views. */
  async read(at: TopicPartition, from: number, bytesMax: number): Promise<HandingOver<Fetched>> {
    const watched = this.#watched.get(partitionKey(at));
    if (watched !== undefined) watched.isTold = false;
    const fetched = await withParts(() => this.#host.log.read(at, from, bytesMax));
    let lengthBytes = 0;
    for (const { bytes } of fetched.batches) lengthBytes += aligned(bytes.length);
    const all = new Uint8Array(lengthBytes);
    let begin = 0;
    const batches = fetched.batches.map(({ base, count, bytes }) => {
      const own = all.subarray(begin, begin + bytes.length);
      own.set(bytes);
      begin += aligned(bytes.length);
      return { base, count, bytes: own };
    });
    return new HandingOver({ ...fetched, batches }, batches.length === 0 ? [] : [all.buffer]);
  }

  /** Tells the Worker from now on of records that come in. */
  async watch(at: TopicPartition): Promise<void> {
    if (this.#isClosed) return;
    const key = partitionKey(at);
    const known = this.#watched.get(key);
    if (known !== undefined) {
      known.readers += 1;
      return;
    }
    const watched: Watched = {
      unsubscribe: this.#host.log.subscribe(at, () => {
        if (watched.isTold) return;
        watched.isTold = true;
        this.#news.send(at);
      }),
      readers: 1,
      isTold: false,
    };
    this.#watched.set(key, watched);
  }

  async unwatch(at: TopicPartition): Promise<void> {
    const key = partitionKey(at);
    const watched = this.#watched.get(key);
    if (watched === undefined || --watched.readers > 0) return;
    watched.unsubscribe();
    this.#watched.delete(key);
  }

  async load(task: TaskId): Promise<SentRestored> {
    const { reader, ...rest } = await withParts(() => this.#host.store.load(task));
    const tables = existing(reader.ids, 'list of tables');
    this.#loading.set(task, reader);
    return { ...rest, tables };
  }

  /** A page of a table of a task that was just loaded. @throws {TaskCorrupted} */
  async state(
    task: TaskId,
    table: TableId,
    behind: Uint8Array | null,
  ): Promise<HandingOver<StatePage>> {
    const reader = this.#loading.get(task);
    if (reader === undefined) throw new PortError('UNAVAILABLE', `${task} was not loaded here`);
    const page = await withParts(() => pageOf(reader, table, behind));
    return new HandingOver(page, buffersOf([page.pack]));
  }

  /** All of its state is over. */
  async loaded(task: TaskId): Promise<void> {
    this.#loading.delete(task);
  }

  /** @returns places in the outbox of what must still be sent */
  async commit(task: TaskId, { packs, ...commit }: SentCommit): Promise<readonly number[]> {
    const { store } = this.#host;
    const whole =
      store.takesBlocks === true
        ? { ...commit, changes: [], blocks: packs.map((pack) => packOf(pack, null)) }
        : { ...commit, changes: changesOf(packs) };
    const pending = await withParts(() => store.commit(task, whole));
    return pending.map((append) => placeOf(append, commit.outbox));
  }

  acknowledge(task: TaskId, to: TopicPartition, next: number): Promise<void> {
    return withParts(() => this.#host.store.acknowledge(task, to, next));
  }

  /** What was committed, which is left as it is. */
  async committed(task: TaskId): Promise<Committed | null> {
    let found: Committed | null = null;
    await this.#rebuilt(task, (committed) => {
      found = committed;
      return null;
    });
    return found;
  }

  /** @param before what `committed` gave */
  async rebuild(task: TaskId, before: Committed, rebuilt: Rebuilt): Promise<void> {
    await this.#rebuilt(task, (now) => {
      if (JSON.stringify(now) === JSON.stringify(before)) return rebuilt;
      throw new PortError('UNAVAILABLE', `${task} was committed while it was being rebuilt`);
    });
  }

  #rebuilt(task: TaskId, begin: (committed: Committed) => Rebuilt | null): Promise<void> {
    return withParts(() =>
      this.#host.store.rebuild(task, ({ offsets, streamTimes, sequences }) =>
        begin({ offsets, streamTimes, sequences }),
      ),
    );
  }

  close(): void {
    this.#isClosed = true;
    for (const { unsubscribe } of this.#watched.values()) unsubscribe();
    this.#watched.clear();
    this.#loading.clear();
  }
}

function aligned(lengthBytes: number): number {
  return Math.ceil(lengthBytes / ALIGNED_BYTES) * ALIGNED_BYTES;
}

function placeOf({ to, sequence }: OutboxAppend, outbox: readonly OutboxAppend[]): number {
  const place = outbox.findIndex(
    (sent) =>
      sent.sequence === sequence &&
      sent.to.partition === to.partition &&
      sent.to.topic === to.topic,
  );
  if (place < 0) throw new InvariantError('a store gives back what its commit was given');
  return place;
}
