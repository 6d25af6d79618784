// What pages rarely call of the engine in the Worker; knows nothing of the page beyond its calls.

import { messageOf, PortError } from '../base/errors.ts';
import { errorOf, idle, insert, print, stats, topicRecords } from '../engine/core-calls.ts';
import type { EngineStats, InsertOptions, InsertRow } from '../engine/engine.ts';
import type { EngineCore } from '../engine/engine-core.ts';
import { loadParts } from '../engine/parts.ts';
import type { TopicRecord } from '../data/topic-record.ts';
import type { ReadOptions } from '../engine/records.ts';
import { builtinRegistry } from '../functions/builtins.ts';
import type { Overload } from '../functions/registry.ts';
import type { Processor } from '../functions/user-processor.ts';
import type { Host } from '../ports/host.ts';
import { HandingOver } from '../ports/answers.ts';
import { JSON_MODULE } from '../task/parts.ts';
import type { EngineWorker, WorkerOptions } from './worker.ts';
import { type PackedPlaces, placed } from './packed-places.ts';
import { RARE_ROWS } from './parts.ts';
import { serveTasks, taskWorkers } from './task-workers.ts';
import type { Appends } from './appends.ts';
import { PrintedLines } from './printed-lines.ts';
import { toWire, type WireError } from '../ports/wire-error.ts';

/** What the Worker's own module has registered. */
export interface Registered {
  readonly functions: readonly Overload[];
  readonly processors: readonly Processor[];
}

/** The host with threads for tasks, with all code there, or with other tabs served, as the page has asked for. */
export async function prepared(
  host: Host,
  { preload = false, workers, kernel, storage, whenLocked, database }: WorkerOptions,
  worker: EngineWorker,
): Promise<Host> {
  if (preload) {
    await loadParts();
    // With a kernel of the page's own there are no halves.
    if (kernel === undefined) await JSON_MODULE.load();
    if (storage !== 'memory') await RARE_ROWS.load();
  }
  if (whenLocked === 'share') await (await import('./share-leader.ts')).lead(database, worker);
  if (workers === undefined) return host;
  return { ...host, workers: taskWorkers(preload) };
}

/** Why there is no kernel. */
export function noKernel(url: URL | string, cause: unknown): PortError {
  return new PortError(
    'UNAVAILABLE',
    `the kernel could not be loaded from ${String(url)}: ${messageOf(cause)}; with kernel: null everything runs without it`,
    {},
    { cause },
  );
}

/** Why nothing is opened: an option that there is not would be passed over. */
export function noOption(name: string, known: RegExp): TypeError {
  const all = [...(known.source.match(/\w+/g) ?? []), 'worker', 'signal'].join(', ');
  return new TypeError(`open has no option '${name}', but ${all}`);
}

/** Calls beside those of `EngineWorker`. */
export class RareCalls {
  readonly #core: () => EngineCore;
  readonly #appends: Appends;
  readonly #own: Registered;
  readonly #prints = new Map<number, PrintedLines>();
  /** Ever begun, for their numbers. */
  #printed = 0;
  #isPrinting = true;

  /** @param core throws while the engine is not open */
  constructor(core: () => EngineCore, appends: Appends, own: Registered) {
    this.#core = core;
    this.#appends = appends;
    this.#own = own;
  }

  /** Begins a PRINT. @returns its number, for `printed` and `endPrint` */
  async print(sql: string): Promise<number> {
    const end = new AbortController();
    const lines = await print(this.#core(), sql, [end.signal]);
    this.#prints.set(++this.#printed, new PrintedLines(lines, end));
    if (!this.#isPrinting) await this.endPrints();
    return this.#printed;
  }

  /** The next lines of a PRINT, once there are some; null at its end. */
  async printed(id: number): Promise<readonly string[] | null> {
    return (await this.#prints.get(id)?.take()) ?? null;
  }

  async endPrint(id: number): Promise<void> {
    this.#prints.get(id)?.close();
    this.#prints.delete(id);
    await Promise.resolve();
  }

  /** Ends all that are open, and those that begin later. */
  async endPrints(): Promise<void> {
    this.#isPrinting = false;
    for (const lines of this.#prints.values()) lines.close();
    this.#prints.clear();
    await Promise.resolve();
  }

  async insert(
    source: string,
    given: InsertRow | readonly InsertRow[],
    options: InsertOptions,
  ): Promise<HandingOver<PackedPlaces>> {
    // Either is for the engine to tell apart: what it says of a row alone has no number.
    const places = await insert(this.#core(), source, given, options);
    return new HandingOver(placed([places].flat()));
  }

  /** Keys and values are views of their record batches, each of which is cloned once. */
  async topicRecords(topic: string, options: ReadOptions): Promise<readonly TopicRecord[]> {
    return await topicRecords(this.#core(), topic, options);
  }

  async stats(): Promise<EngineStats> {
    return await stats(this.#core());
  }

  /** Why a query has ended; null while it runs. */
  async errorOf(queryId: string): Promise<WireError | null> {
    const error = errorOf(this.#core(), queryId);
    return error && toWire(error);
  }

  /** No engine is opened here: tasks of the one at the other end of the port run. */
  async runTasks(port: MessagePort, preload: boolean): Promise<void> {
    await serveTasks(port, preload, builtinRegistry(this.#own.functions, this.#own.processors));
  }

  async idle(): Promise<void> {
    await this.#appends.last;
    await idle(this.#core());
  }
}
