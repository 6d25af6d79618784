// Opens an engine where the caller may leave the host to us: in memory then; knows no other adapter.

import { memoryHost } from '../memory/memory-host.ts';
import { type Engine, type EngineOptions, openEngine } from './engine.ts';

export type OpenOptions = Omit<EngineOptions, 'host'> & {
  readonly host?: EngineOptions['host'] | undefined;
};

/** An engine on the given host; without one, in memory, on the row path. */
export function open(options: OpenOptions = {}): Promise<Engine> {
  return openEngine({ ...options, host: options.host ?? memoryHost() });
}
