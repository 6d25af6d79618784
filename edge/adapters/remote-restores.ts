// What partition and catalog objects say of restores, by calls; knows no task.

import { catalogOf, type EdgeEnv, partitionAt } from '../env.ts';
import type { Restores } from '../objects/after-restore.ts';
import { unwrap } from '../wire.ts';

/** Of one tenant. */
export function remoteRestores(env: EdgeEnv, tenant: string): Restores {
  return {
    continued: (at, incarnation) => unwrap(partitionAt(env, tenant, at).continued(incarnation)),
    highWatermark: async (at) =>
      (await unwrap(partitionAt(env, tenant, at).bounds())).highWatermark,
    sequenceOf: (at, producer) => unwrap(partitionAt(env, tenant, at).sequenceOf(producer)),
    found: async (at, incarnation) => {
      const known =
        incarnation ?? (await unwrap(partitionAt(env, tenant, at).bounds())).incarnation;
      await unwrap(catalogOf(env, tenant).foundRestored(at, known));
    },
  };
}
