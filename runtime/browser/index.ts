// The browser entry: opens an engine in a Web Worker and answers as the engine itself does; has no SQL of its own.

import { BrowserEngine } from './browser-engine.ts';
import type { HostOptions } from './host.ts';
import { unavailable } from './remote.ts';
import { SharedEngine } from './share-engine.ts';
import { leadOrFollow } from './share-follower.ts';

/** What an engine in a page is opened with; nothing: the database `millrace`. */
export interface OpenOptions {
  /** Name of the database; `millrace` when absent. */
  readonly database?: string | undefined;
  /** `indexeddb` (the default) keeps topics, tables and queries; `memory` forgets them with the Worker. */
  readonly storage?: 'indexeddb' | 'memory' | undefined;
  /**
   * Makes the Worker; absent: the one that comes with the package, which bundlers find by themselves. A Worker of the page's own can
   * bring functions for SQL: see `registerFunctions` of `millrace/worker`.
   */
  readonly worker?: (() => Worker) | undefined;
  /** Where the kernel lies, relative to the page as for `fetch`; absent: beside the Worker. null: without it; every query then runs on the slower row path. */
  readonly kernel?: URL | string | null | undefined;
  /** What to do while another tab has the database open: `fail` (the default) with LOCKED, or `wait` until it is closed. */
  readonly whenLocked?: 'fail' | 'wait' | undefined;
  /** `relaxed` (the default): a commit is done when the operating system has it; `strict`: when the disk has it. */
  readonly durability?: 'relaxed' | 'strict' | undefined;
  /** Properties of the session, as SET gives them. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** How often a busy query commits at most, in ms; 0: after every turn. Longer is faster and shows results later. */
  readonly commitIntervalMs?: number | undefined;
  /**
   * true: all code is fetched before `open` resolves, so that no statement needs the network. Absent: what few statements need is
   * fetched when one does; a page that must go on offline then relies on its service worker's cache.
   */
  readonly preload?: boolean | undefined;
  /**
   * How many Workers the partitions of queries are spread over, 1 .. 16; absent or 1: all run in the engine's own Worker. The same answers
   * either way; `stats().tasks` says what runs where.
   */
  readonly workers?: number | undefined;
  /** Gives up waiting, for the lock above all; `open` then throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A busy query commits so often unless told otherwise: about one frame of a screen. */
const COMMIT_INTERVAL_MS = 16;

/**
 * Opens an engine in a Web Worker. What the database holds is there again: streams, tables, and queries, which go on where they were.
 * @throws {PortError} LOCKED when another tab has the database open, UNAVAILABLE where the browser refuses Worker, storage or kernel
 */
export async function open(options: OpenOptions = {}): Promise<BrowserEngine> {
  return await opened(options);
}

/** As the Worker knows them. */
export type EngineOptions = Omit<OpenOptions, 'whenLocked'> & Pick<HostOptions, 'whenLocked'>;

/** What an engine is opened with that tabs share; of the tab that leads all hold. */
export type SharedOptions = Omit<OpenOptions, 'storage' | 'whenLocked'>;

/**
 * As `open`, where no other tab has the database: then this one leads. Else it follows: its calls and queries run in the engine of the tab
 * that leads, and of its options `database` and `signal` count. When that tab ends, the first one that calls leads, with its own options.
 * @throws {PortError} LOCKED when the tab that has the database did not open it so, does not answer for SHARE_ANSWER_MS_MAX, or runs
 *   another version of millrace; UNAVAILABLE as `open`
 * @throws {LimitError} FOLLOWERS_MAX
 */
export async function openShared(options: SharedOptions = {}): Promise<SharedEngine> {
  const shared = new SharedEngine((signal) => leadOrFollow({ ...options, signal }, opened));
  await shared.opened(options.signal);
  return shared;
}

async function opened(options: EngineOptions): Promise<BrowserEngine> {
  const {
    database = 'millrace',
    kernel,
    signal,
    worker,
    commitIntervalMs = COMMIT_INTERVAL_MS,
    ...others
  } = options;
  signal?.throwIfAborted();
  if (!isSecureContext) {
    throw unavailable('the page needs https, or localhost');
  }
  const engine = new BrowserEngine(
    worker?.() ??
      new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'millrace' }),
  );
  const abort = (): void => engine.terminate(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    await engine.start({
      ...others,
      database,
      // As `fetch` of the page would have it, behind its <base href>.
      kernel: kernel && new Request(kernel).url,
      commitIntervalMs,
    });
    return engine;
  } catch (thrown) {
    engine.terminate();
    throw thrown;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

export {
  InvariantError,
  LimitError,
  PortError,
  RecordError,
  StatementError,
  TaskCorrupted,
} from '../base/errors.ts';
export type {
  EngineStats,
  ExecuteOptions,
  InsertOptions,
  QueryOptions,
  TaskPlace,
} from '../engine/engine.ts';
export type { Entity } from '../engine/entities.ts';
export type { ProducedAt, ProducedRecord } from '../engine/insert.ts';
export type { QueryStats } from '../engine/queries.ts';
export type { QueryChange, QueryColumn, QueryRows } from '../engine/query-rows.ts';
export type { ReadOptions } from '../engine/records.ts';
export type { TopicRecord } from '../data/topic-record.ts';
export type { Batch } from '../data/batch.ts';
export type { PublicOptions, PublicRow, PublicValue } from '../data/row.ts';
export type { BrowserEngine, SharedEngine };
