// What partition and catalog objects say of restores, by calls; knows no task.

import { PortError } from '../../runtime/base/errors.ts';
import { catalogOf, type EdgeEnv, partitionAt } from '../env.ts';
import type { Restores } from '../objects/after-restore.ts';
import { unwrap } from '../wire.ts';

/** Of one tenant. */
export function remoteRestores(env: EdgeEnv, tenant: string): Restores {
  return {
    continued: (at, incarnation) => unwrap(partitionAt(env, tenant, at).continued(incarnation)),
    highWatermark: async (at) =>
      (await unwrap(partitionAt(env, tenant, at).bounds())).highWatermark,
    sequenceOf: async (at, producer) => {
      try {
        return await unwrap(partitionAt(env, tenant, at).sequenceOf(producer));
      } catch (thrown) {
        if (thrown instanceof PortError && thrown.code === 'UNKNOWN_PARTITION') return 0;
        throw thrown;
      }
    },
    found: async (at, incarnation) => {
      const known =
        incarnation ?? (await unwrap(partitionAt(env, tenant, at).bounds())).incarnation;
      await unwrap(catalogOf(env, tenant).foundRestored(at, known));
    },
  };
}
