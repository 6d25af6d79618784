// What a change of the catalog asks of other objects, and the calls that do it; each may repeat without harm.

import type { Plan } from '../../runtime/plan/step.ts';
import { taskId, tasksOf } from '../../runtime/task/topology.ts';
import { PortError, StatementError } from '../../runtime/base/errors.ts';
import { log } from '../../runtime/base/log.ts';
import {
  type EarlierStatePort,
  type EdgeEnv,
  partitionAt,
  partitionByName,
  processorByName,
} from '../env.ts';
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
  | { readonly effect: 'remove'; readonly object: string; readonly sequence: number }
  | {
      readonly effect: 'putBack';
      readonly of: 'partition' | 'processor';
      readonly object: string;
      readonly toMs: number;
    };

/** A task that begins finds its topics, and one that ends loses none before: what it tries in vain it tries again a second later. */
export const EFFECT_ROUNDS: readonly (readonly CatalogEffect['effect'][])[] = [
  ['putBack', 'open'],
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
    case 'putBack':
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
    case 'putBack':
      await putBack(
        effect.of === 'partition'
          ? partitionByName(env, effect.object)
          : processorByName(env, effect.object),
        effect,
      );
  }
}

/** How often, and how soon, an object is looked for in its next life. */
const LOOKS_MAX = 40;
const LOOK_MS = 50;

/** Resolves when the object has begun again with its earlier state. Repeated it puts back again, which changes nothing before the object is told what is next. */
async function putBack(
  port: EarlierStatePort,
  { object, toMs }: { readonly object: string; readonly toMs: number },
): Promise<void> {
  let before: string;
  try {
    before = await unwrap(port.putBack(toMs));
  } catch (thrown) {
    if (!(thrown instanceof StatementError)) throw thrown;
    // Said when it was ordered, of the catalog's own storage; an object that is younger than that has no such state.
    log('error', 'not-put-back', { reason: object, thrown });
    return;
  }
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const now = await port.instance().catch(() => before);
    if (now !== before) return;
    await scheduler.wait(LOOK_MS);
  }
  throw new PortError('UNAVAILABLE', `${object} has not begun again`);
}
