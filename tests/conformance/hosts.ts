// The hosts on which a case can run as users run it, by name; knows no case.

import type { CaseHost } from './host.ts';

export const HOSTS = ['memory', 'sqlite', 'threads', 'page', 'edge'] as const;
export type HostName = (typeof HOSTS)[number];

/** Each is fetched where it is asked for: the edge brings workerd, a page Chromium. */
export async function openHost(
  name: HostName,
  kernel: WebAssembly.Module | null,
): Promise<CaseHost> {
  if (name === 'edge') return new (await import('./edge-host.ts')).EdgeHost();
  if (name === 'page') return new (await import('./page-host.ts')).PageHost();
  const { engineHost } = await import('./engine-host.ts');
  return engineHost(name, kernel);
}
