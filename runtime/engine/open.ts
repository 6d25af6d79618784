// Opens an engine where the caller may leave the host to us: in memory, or over a file of Node's; knows no other adapter.

import type { WasmModule } from '../base/host-types.ts';
import { checkOption, checkOptions } from '../base/options.ts';
import { memoryHost } from '../memory/memory-host.ts';
import { systemClock } from '../memory/system-clock.ts';
import type { Host } from '../ports/host.ts';
import type { FileOptions } from '../sqlite/file-options.ts';
import { type Engine, type EngineOptions, openEngine } from './engine.ts';
import { ownKernel } from './own-kernel.ts';
import { loadWholeKernel } from './whole-kernel.ts';

/** A SQLite database, for Node: topics, tables, positions and queries go on where they were when it is opened again. */
export type FileStorage = FileOptions;

/** What an engine in Node is opened with; nothing: in memory. */
export interface OpenOptions extends Omit<EngineOptions, 'host'> {
  /** Ports of the caller's own; `storage`, `kernel` and `commitIntervalMs` are then theirs to say. */
  readonly host?: Host | undefined;
  /** Where topics and tables are kept; absent: in memory. */
  readonly storage?: 'memory' | FileStorage | undefined;
  /**
   * The compiled kernel (`millrace/kernel.wasm`); null: everything runs on the row path. Absent: the package's own in Node, none elsewhere.
   * A query that was planned for the kernel goes on without it where it was.
   */
  readonly kernel?: WasmModule | null | undefined;
  /** How often a busy query commits at most, in ms; absent: after every turn. */
  readonly commitIntervalMs?: number | undefined;
}

const OPTIONS = {
  host: 'object',
  storage: "'memory' | object",
  kernel: 'object | null',
  commitIntervalMs: 'number',
  functions: 'object',
  processors: 'object',
  properties: 'object',
  workers: 'number',
};
const FILE_OPTIONS = { file: 'string', durability: "'relaxed' | 'strict'" };

/**
 * An engine on the given host or storage; without either, in memory.
 * @throws {PortError} LOCKED when the file is open already, here or in another process; CORRUPT, UNAVAILABLE
 * @throws {TypeError} for options that do not exist, and values that one does not take: an engine in memory would forget what it was given
 */
export async function open(options: OpenOptions = {}): Promise<Engine> {
  checkOptions('open', options, OPTIONS);
  const { host: given, storage, kernel, commitIntervalMs, ...engine } = options;
  const host = given ?? (await hostOf(storage, kernel, commitIntervalMs ?? 0));
  try {
    if (host.kernel !== null) await loadWholeKernel();
    return await openEngine({
      ...engine,
      host: given ?? (await withWorkers(host, engine.workers)),
    });
  } catch (thrown) {
    // A host of ours is nobody else's to close, and would stay locked.
    if (given === undefined) await host.close();
    throw thrown;
  }
}

/** Threads of Node's beside the host, for those who ask for more than one Worker. */
async function withWorkers(host: Host, workers = 1): Promise<Host> {
  if (workers === 1) return host;
  // Fetched by those who ask for it: pages and Workers have none of Node's.
  const { threads } = await import('../threads/threads.ts');
  return { ...host, workers: threads };
}

async function hostOf(
  storage: OpenOptions['storage'],
  given: OpenOptions['kernel'],
  commitIntervalMs: number,
): Promise<Host> {
  const kernel = given === undefined ? await ownKernel() : given;
  if (storage === undefined || storage === 'memory')
    return memoryHost({ kernel, commitIntervalMs });
  checkOptions('storage', storage, FILE_OPTIONS);
  checkOption('storage', 'file', storage.file, FILE_OPTIONS.file);
  // Fetched by those who ask for it: pages and Workers have no files.
  const { sqliteHost } = await import('../sqlite/sqlite-host.ts');
  return await sqliteHost({ ...storage, clock: systemClock, kernel, commitIntervalMs });
}
