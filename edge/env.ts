// The bindings of the edge and the shapes of its objects' methods; the one place where a name becomes a stub.

import { OBJECT_IDS_KEPT_MAX } from '../runtime/base/limits.ts';
import type { MigrationStatus } from '../runtime/client/migrations.ts';
import type { PullPlan } from '../runtime/plan/pull.ts';
import type { AppendResult, Bounds, Fetched, TopicPartition } from '../runtime/ports/log.ts';
import type { ProducerStamp, TopicDescription, TopicSpec } from '../runtime/ports/log.ts';
import type { TopicPolicy } from '../runtime/ports/topic-policy.ts';
import type { CounterEntry, OffsetEntry, TaskId } from '../runtime/ports/store.ts';
import type { ListedTask, PartitionMetrics, TaskMetrics } from './metrics/meters.ts';
import { catalogName, isRelayName, partitionName, processorName, relayName } from './names.ts';
import type { FetchedWithin } from './fetched-within.ts';
import type { Append } from './objects/append-queue.ts';
import type { ProcessorSpec } from './objects/processor-tables.ts';
import type { Entity } from '../runtime/engine/entities.ts';
import type { QueryState } from '../runtime/engine/queries.ts';
import type { PreparedQuery, Script } from './objects/prepare.ts';
import type { PulledRows } from './rows.ts';
import type { Wire, WireError } from './wire.ts';

/** What wrangler.jsonc binds. */
export interface EdgeEnv {
  readonly PARTITION: DurableObjectNamespace;
  readonly PROCESSOR: DurableObjectNamespace;
  readonly RELAY: DurableObjectNamespace;
  readonly CATALOG: DurableObjectNamespace;
  /** Bytes that a partition object may hold, where that is not the platform's own limit. */
  readonly PARTITION_BYTES_MAX?: string | undefined;
}

/** What an object's storage holds, and whether it takes more. */
export interface StorageUsage {
  readonly storageBytes: number;
  readonly storage: 'ok' | 'nearlyFull' | 'full';
}

/** What a partition is opened with; `generation` orders the topics that had this name. */
export interface PartitionSpec {
  readonly tenant: string;
  readonly at: TopicPartition;
  readonly incarnation: string;
  readonly generation: number;
  readonly policy: TopicPolicy;
  /** Absent: it is opened empty. Else the topic was restored, and the partition keeps its records. */
  readonly restored?: Restored | undefined;
}

/** How it came to be known that a topic was restored. */
export interface Restored {
  /** The incarnation that the topic had until now. */
  readonly previous: string;
  /** true: others knew of more records than were there, and nobody can say since when. false: it was announced. */
  readonly isFound: boolean;
}

/** How a partition goes on from an earlier incarnation. */
export interface Continued {
  /** The present one. */
  readonly incarnation: string;
  /** Offsets up to here are the same in both; null: none is known to be. */
  readonly end: number | null;
}

/** What an object can be asked whose storage is put back to an earlier time. */
export interface EarlierStatePort {
  /** Another one in each life of the object. */
  instance(): Promise<string>;
  /**
   * Ends this life of the object right behind its answer, and begins the next one with the storage as it was then (ms since the Unix epoch).
   * @returns what `instance` answers until it has ended
   */
  putBack(toMs: number): Promise<Wire<string>>;
}

/** Methods of a partition's object. All but `open` and `close` refuse UNKNOWN_PARTITION while it is not open. */
export interface PartitionPort extends EarlierStatePort {
  open(spec: PartitionSpec): Promise<Wire<null>>;
  close(generation: number): Promise<Wire<null>>;
  append(
    bytes: Uint8Array,
    stamp: ProducerStamp | null,
    incarnation: string | null,
  ): Promise<Wire<AppendResult>>;
  /** As `append` for each, in this order: each is judged by itself and has its own answer. */
  appendAll(appends: readonly Append[]): Promise<readonly Wire<AppendResult>[]>;
  /** Waits up to `waitMs` for a record at `from` when there is none. */
  read(
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Wire<Fetched>>;
  /** As `read`, for whoever has no room for more than `bytesMax`. */
  readWithin(
    from: number,
    bytesMax: number,
    waitMs: number,
    incarnation: string | null,
  ): Promise<Wire<FetchedWithin>>;
  /** As `read`, for bytes that are only passed on (frames.ts). */
  fetch(request: Request | string): Promise<Response>;
  bounds(): Promise<Wire<Bounds>>;
  /** How it goes on from an incarnation that it had before. */
  continued(incarnation: string): Promise<Wire<Continued>>;
  /** The sequence that is due of a producer; 0 where it is not known. */
  sequenceOf(producer: string): Promise<Wire<number>>;
  /** As `bounds`, with how full the partition is. */
  usage(): Promise<Wire<Bounds & StorageUsage>>;
  /** What /metrics tells of it. */
  metrics(): Promise<Wire<PartitionMetrics>>;
  /** As `bounds`, but waits up to `waitMs` while the high watermark is not above `seen`. */
  follow(seen: number, waitMs: number): Promise<Wire<Bounds>>;
  offsetForTime(ms: number): Promise<Wire<number>>;
  trim(before: number): Promise<Wire<null>>;
  /** Wakes the processor or relay object of that name after every append from now on. May repeat. */
  subscribe(name: string): Promise<Wire<null>>;
  unsubscribe(name: string): Promise<Wire<null>>;
  subscribers(): Promise<Wire<readonly string[]>>;
}

/** What a partition tells of its records. */
export interface WakePort {
  /**
   * There are records up to `highWatermark`; true once that cannot be forgotten, false: nobody there wants to know.
   * @param brought the newest of them, as a read from their first offset gives them; null: they are to be read
   */
  wake(at: TopicPartition, highWatermark: number, brought: Fetched | null): Promise<Wire<boolean>>;
}

/** Methods of an object that holds sockets. */
export interface RelayPort extends WakePort {
  /** Opens a socket: 101, or 503 when it has no room. */
  fetch(request: Request): Promise<Response>;
}

/** How a task stands, as its object knows it. */
export interface ProcessorStatus {
  readonly state: 'RUNNING' | 'PAUSED' | 'ERROR';
  /** Why it has ended until RESUME or another plan. */
  readonly error: string | null;
  /** true: there may be records that it has not read. */
  readonly pending: boolean;
  readonly counters: readonly CounterEntry[];
  readonly offsets: readonly OffsetEntry[];
}

export interface Commanded {
  readonly command: number;
  readonly planned: number;
}

/** Methods of a task's object. A command whose statement's number is not above that of the last one changes nothing. */
export interface ProcessorPort extends WakePort, EarlierStatePort {
  /** Begins the task, or goes on with another plan from its last commit. */
  start(spec: ProcessorSpec): Promise<Wire<null>>;
  /** It keeps its state and takes nothing in; or goes on. */
  pause(paused: boolean, sequence: number): Promise<Wire<null>>;
  /** Ends the task and forgets its state. */
  remove(sequence: number): Promise<Wire<null>>;
  /**
   * What this task's partition answers to a pull query, from committed state; UNAVAILABLE where its plan is not that of the statement
   * `planned`.
   * @param bytesMax where rows and their order are more, none come but how long they are; absent: PULL_BYTES_MAX
   */
  pull(pull: PullPlan, planned: number, bytesMax?: number): Promise<Wire<PulledRows>>;
  /** null: this task does not exist. */
  status(): Promise<Wire<ProcessorStatus | null>>;
  /** Numbers of the last command that was carried out and of the statement that its plan is of; 0: there is none. */
  commanded(): Promise<Wire<Commanded>>;
  /** What /metrics tells of it. null: this task does not exist. */
  metrics(): Promise<Wire<TaskMetrics | null>>;
}

/** What a script of statements came to: the entities of those that were done, and the one that failed. */
export interface ScriptAnswer {
  readonly entities: readonly Entity[];
  readonly failed: {
    readonly text: string;
    readonly error: WireError;
    /** true: the statement belongs to the query routes. */
    readonly isQuery: boolean;
  } | null;
}

/** A text of statements that is applied once. */
export interface Migration {
  readonly name: string;
  /** Those with a number are applied in its order; null: one that no order is kept for. */
  readonly version: number | null;
  readonly sha256: string;
  readonly script: Script;
}

export interface MigrationAnswer extends ScriptAnswer {
  /** false: it was applied before. */
  readonly applied: boolean;
}

/** A persistent query and how its tasks stand. */
export interface QueryStatus {
  readonly id: string;
  readonly statement: string;
  readonly state: QueryState;
  readonly tasks: readonly { readonly task: TaskId; readonly status: ProcessorStatus | null }[];
}

/** What is put back to an earlier time, or was put back by hand (`toMs` null) and is to get another incarnation. */
export type RestoreOrder =
  | {
      readonly what: 'topic';
      readonly topic: string;
      /** null: all. */
      readonly partition: number | null;
      readonly toMs: number | null;
    }
  | { readonly what: 'query'; readonly query: string; readonly toMs: number }
  | { readonly what: 'all'; readonly toMs: number | null };

export interface RestoreAnswer {
  /** Topics with their new incarnations. */
  readonly topics: readonly { readonly name: string; readonly incarnation: string }[];
  /** Tasks that are put back, or are told again what they are to do. */
  readonly tasks: readonly TaskId[];
  /** Tasks that no statement speaks of any more: they end. */
  readonly ended: readonly string[];
  /** Tasks that run a newer plan than the catalog knows: they stay as they are until they are put back too. */
  readonly newer: readonly TaskId[];
}

/** Methods of a tenant's catalog. */
export interface CatalogPort {
  /** Gives what was or is to be put back another incarnation. @returns what has changed; objects learn of it at once, or later by themselves */
  restore(tenant: string, order: RestoreOrder): Promise<Wire<RestoreAnswer>>;
  /** Somebody has read further, under that incarnation, than the partition goes: it was put back, and nobody has said so. */
  foundRestored(at: TopicPartition, incarnation: string): Promise<Wire<null>>;
  /** A partition has another incarnation than its topic: it has not heard of the topic's yet, or was put back to before that. */
  realign(topic: string): Promise<Wire<null>>;
  createTopic(tenant: string, spec: TopicSpec): Promise<Wire<TopicDescription>>;
  removeTopic(topic: string): Promise<Wire<null>>;
  topics(): Promise<Wire<readonly TopicDescription[]>>;
  topic(name: string): Promise<Wire<TopicDescription | null>>;
  /** Runs statements in order until one fails. */
  execute(tenant: string, script: Script): Promise<Wire<ScriptAnswer>>;
  /** Applies a text of statements, unless it is applied. What of it is done stays done when one fails. */
  migrate(tenant: string, migration: Migration): Promise<Wire<MigrationAnswer>>;
  migrations(): Promise<Wire<readonly MigrationStatus[]>>;
  /** Notes that a ticket is used. false: it was before. */
  useTicket(nonce: string, expiresMs: number): Promise<Wire<boolean>>;
  /** Plans a SELECT; whoever asks runs it. */
  prepare(script: Script): Promise<Wire<PreparedQuery>>;
  queries(tenant: string): Promise<Wire<readonly QueryStatus[]>>;
  /** Every task of every query, without asking one. */
  tasks(): Promise<Wire<readonly ListedTask[]>>;
}

export function partitionAt(env: EdgeEnv, tenant: string, at: TopicPartition): PartitionPort {
  return stub<PartitionPort>(env.PARTITION, partitionName(tenant, at));
}

export function processorAt(env: EdgeEnv, tenant: string, task: TaskId): ProcessorPort {
  return stub<ProcessorPort>(env.PROCESSOR, processorName(tenant, task));
}

/** @param relay 0 .. RELAYS_MAX - 1 */
export function relayAt(env: EdgeEnv, tenant: string, relay: number): RelayPort {
  return stub<RelayPort>(env.RELAY, relayName(tenant, relay));
}

/** Who is to be woken, by the name that it subscribed with. */
export function subscriberByName(env: EdgeEnv, name: string): WakePort {
  return stub<WakePort>(isRelayName(name) ? env.RELAY : env.PROCESSOR, name);
}

/** The partition object of a name that `partitionName` made. */
export function partitionByName(env: EdgeEnv, name: string): PartitionPort {
  return stub<PartitionPort>(env.PARTITION, name);
}

/** The processor object of a name that `processorName` made. */
export function processorByName(env: EdgeEnv, name: string): ProcessorPort {
  return stub<ProcessorPort>(env.PROCESSOR, name);
}

export function catalogOf(env: EdgeEnv, tenant: string): CatalogPort {
  return stub<CatalogPort>(env.CATALOG, catalogName(tenant));
}

/** Ids of objects by name: an id is a hash of the name, and the platform takes as long to compute it as to begin a call. */
const ids = new WeakMap<DurableObjectNamespace, Map<string, DurableObjectId>>();

// Methods are called by name over the wire; the types of the stubs are given here, once.
function stub<Port>(namespace: DurableObjectNamespace, name: string): Port {
  let known = ids.get(namespace);
  if (known === undefined) ids.set(namespace, (known = new Map()));
  let id = known.get(name);
  if (id === undefined) {
    if (known.size >= OBJECT_IDS_KEPT_MAX) known.clear();
    known.set(name, (id = namespace.idFromName(name)));
  }
  return namespace.get(id) as unknown as Port;
}
