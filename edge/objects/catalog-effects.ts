// What a change of the catalog asks of other objects, and the calls that do it; each may repeat without harm.

import { type EdgeEnv, partitionAt, processorByName } from '../env.ts';
import { partitionName } from '../names.ts';
import { unwrap } from '../wire.ts';
import type { ProcessorSpec } from './processor-tables.ts';
import type { PartitionEffect } from './topic-tables.ts';

/** Plain JSON. */
export type CatalogEffect =
  | PartitionEffect
  | { readonly effect: 'start'; readonly spec: ProcessorSpec }
  | { readonly effect: 'remove'; readonly object: string };

/** The object that an effect is for: effects of one target keep their order. */
export function targetOf(effect: CatalogEffect): string {
  switch (effect.effect) {
    case 'open':
      return partitionName(effect.spec.tenant, effect.spec.at);
    case 'close':
      return partitionName(effect.tenant, effect);
    case 'start':
      return effect.spec.object;
    case 'remove':
      return effect.object;
  }
}

/** Resolves when the object has taken it. @throws {PortError} UNAVAILABLE: to be sent again */
export async function perform(env: EdgeEnv, effect: CatalogEffect): Promise<void> {
  switch (effect.effect) {
    case 'open':
      await unwrap(partitionAt(env, effect.spec.tenant, effect.spec.at).open(effect.spec));
      return;
    case 'close':
      await unwrap(partitionAt(env, effect.tenant, effect).close(effect.generation));
      return;
    case 'start':
      await unwrap(processorByName(env, effect.spec.object).start(effect.spec));
      return;
    case 'remove':
      await unwrap(processorByName(env, effect.object).remove());
      return;
  }
}
