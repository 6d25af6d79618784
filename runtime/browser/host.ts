// What the engine in a Worker runs on: the ports over IndexedDB or in memory, and the compiled kernel; knows no page.

import type { PortError } from '../base/errors.ts';
import { systemClock } from '../memory/system-clock.ts';
import type { Host } from '../ports/host.ts';
import { JSON_MODULE } from '../task/parts.ts';
import { lockDatabase, openDatabase } from './database.ts';
import { IdbLog } from './idb-log.ts';
import { IdbStore } from './idb-store.ts';
import { announceOwnParts } from './own-parts.ts';
import { RARE_CALLS, RARE_ROWS } from './parts.ts';

/** The page's options, as `OpenOptions` has them; structured clone takes it. */
export interface HostOptions {
  readonly database: string;
  readonly storage?: 'indexeddb' | 'memory' | undefined;
  /** Address of a whole kernel; undefined: the halves that came with the Worker; null: everything runs on the row path. */
  readonly kernel: string | null | undefined;
  readonly whenLocked?: 'fail' | 'wait' | 'share' | undefined;
  readonly durability?: 'relaxed' | 'strict' | undefined;
  readonly commitIntervalMs: number;
}

/**
 * Opens the ports. With IndexedDB it holds the database's lock until it is closed, or the Worker ends.
 * @param onLost called when the browser closes the database under the engine
 * @throws {PortError} LOCKED, UNAVAILABLE
 */
export async function openHost(
  options: HostOptions,
  onLost: (error: PortError) => void,
): Promise<Host> {
  const { database: name, commitIntervalMs } = options;
  if (options.storage === 'memory') {
    // Fetched by those who ask for it: most pages keep what they have.
    const { memoryHost } = await import('../memory/memory-host.ts');
    return memoryHost({ kernel: await compileKernel(options.kernel), commitIntervalMs });
  }
  announceOwnParts();
  const unlock = await lockDatabase(name, options.whenLocked === 'wait');
  try {
    const [kernel, database] = await Promise.all([
      compileKernel(options.kernel),
      openDatabase(name, (wanted) => {
        // Without a network it says less.
        RARE_ROWS.load()
          .then((rows) => rows.lostDatabase(name, wanted))
          .then(onLost, onLost);
      }),
    ]);
    const idb = {
      database,
      now: () => systemClock.now(),
      durability: options.durability ?? 'relaxed',
    };
    const log = new IdbLog(idb);
    const close = async (): Promise<void> => {
      database.close();
      await unlock();
    };
    return {
      log,
      store: new IdbStore({ ...idb, log }),
      clock: systemClock,
      kernel,
      commitIntervalMs,
      close,
    };
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}

async function compileKernel(address: HostOptions['kernel']): Promise<WebAssembly.Module | null> {
  if (address === null) return null;
  if (address !== undefined) return await compiled(address);
  announceJson();
  return await compiled(new URL('../../build/kernel-aggregates.wasm', import.meta.url));
}

/** Says how the kernel's half for JSON is fetched. */
export function announceJson(): void {
  JSON_MODULE.from('JSON in the kernel', async () => ({
    module: await compiled(new URL('../../build/kernel-json.wasm', import.meta.url)),
  }));
}

async function compiled(url: URL | string): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    // Not while it loads: that wants the right media type, which not every server knows, and of so few bytes saves nothing.
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw (await RARE_CALLS.load()).noKernel(url, cause);
  }
}
