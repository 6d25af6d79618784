// What a change of the catalog asks of other objects, and the calls that do it; each may repeat without harm.

import type { Plan } from '../../runtime/plan/step.ts';
import { taskId, tasksOf } from '../../runtime/task/topology.ts';
import { type EdgeEnv, partitionAt, processorByName } from '../env.ts';
import { partitionName, processorName } from '../names.ts';
import { unwrap } from '../wire.ts';
import type { ProcessorSpec } from './processor-tables.ts';
import type { PartitionEffect } from './topic-tables.ts';

/** Plain JSON. */
export type CatalogEffect =
  | PartitionEffect
  | { readonly effect: 'start'; readonly spec: ProcessorSpec }
  | {
      readonly effect: 'pause';
      readonly object: string;
      readonly paused: boolean;
      readonly sequence: number;
    }
  | { readonly effect: 'remove'; readonly object: string; readonly sequence: number };

/** A task that begins finds its topics, and one that ends loses none before: what it tries in vain it tries again a second later. */
export const EFFECT_ROUNDS: readonly (readonly CatalogEffect['effect'][])[] = [
  ['open'],
  ['start', 'pause', 'remove'],
  ['close'],
];

/** Begins every task of a plan, or goes on with it. */
export function started(
  tenant: string,
  plan: Plan,
  { planned, paused }: Pick<ProcessorSpec, 'planned' | 'paused'>,
): CatalogEffect[] {
  return tasksOf(plan).map((task) => {
    const object = processorName(tenant, taskId(task));
    return { effect: 'start', spec: { tenant, object, task, plan, planned, paused } };
  });
}

/** Pauses every task of a plan, or lets it go on. */
export function paused(
  tenant: string,
  plan: Plan,
  isPaused: boolean,
  sequence: number,
): CatalogEffect[] {
  return tasksOf(plan).map((task) => {
    const object = processorName(tenant, taskId(task));
    return { effect: 'pause', object, paused: isPaused, sequence };
  });
}

/** Ends every task of a plan. */
export function removed(tenant: string, plan: Plan, sequence: number): CatalogEffect[] {
  return tasksOf(plan).map((task) => {
    return { effect: 'remove', object: processorName(tenant, taskId(task)), sequence };
  });
}

/** The object that an effect is for: effects of one target keep their order. */
export function targetOf(effect: CatalogEffect): string {
  switch (effect.effect) {
    case 'open':
      return partitionName(effect.spec.tenant, effect.spec.at);
    case 'close':
      return partitionName(effect.tenant, effect);
    case 'start':
      return effect.spec.object;
    case 'pause':
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
    case 'pause': {
      const { object, paused, sequence } = effect;
      await unwrap(processorByName(env, object).pause(paused, sequence));
      return;
    }
    case 'remove':
      await unwrap(processorByName(env, effect.object).remove(effect.sequence));
      return;
  }
}
