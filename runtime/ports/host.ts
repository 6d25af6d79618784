// What an engine runs on: one adapter per port and the compiled kernel; knows no adapter.

import type { WasmModule } from '../base/host-types.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';
import type { Workers } from './workers.ts';

export interface Host {
  readonly log: Log;
  readonly store: Store;
  readonly clock: Clock;
  /** The compiled kernel; null where it could not be loaded: everything then runs on the row path, and EXPLAIN says so. */
  readonly kernel: WasmModule | null;
  /** How often a busy task commits at most, in ms; 0: after every turn. */
  readonly commitIntervalMs: number;
  /** Threads for tasks; absent: the host has none. */
  readonly workers?: Workers | undefined;
  /** Releases connections and locks. */
  close(): Promise<void>;
}
