// A host in memory: log and store in one process, nothing kept; knows no engine.

import type { WasmModule } from '../base/host-types.ts';
import type { Clock } from '../ports/clock.ts';
import type { Host } from '../ports/host.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryStore } from './memory-store.ts';
import { systemClock } from './system-clock.ts';

export interface MemoryHostOptions {
  readonly clock?: Clock | undefined;
  /** The compiled kernel; absent: everything runs on the row path. */
  readonly kernel?: WasmModule | null | undefined;
  /** `atomic`: a commit appends its outputs itself; `outbox`: they are sent afterwards, as between objects. */
  readonly delivery?: 'atomic' | 'outbox' | undefined;
  readonly commitIntervalMs?: number | undefined;
}

export interface MemoryHost extends Host {
  readonly log: MemoryLog;
  readonly store: MemoryStore;
}

export function memoryHost(options: MemoryHostOptions = {}): MemoryHost {
  const clock = options.clock ?? systemClock;
  const log = new MemoryLog(clock);
  const deliverTo = options.delivery === 'outbox' ? undefined : log;
  return {
    log,
    store: new MemoryStore({ clock, deliverTo }),
    clock,
    kernel: options.kernel ?? null,
    commitIntervalMs: options.commitIntervalMs ?? 0,
    close: () => Promise.resolve(),
  };
}
