// What a catalog does about topics and tasks that are put back to an earlier state: other incarnations, commands told again; makes no change by itself.

import { PortError, StatementError } from '../../runtime/base/errors.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { TopicDescription, TopicPartition } from '../../runtime/ports/log.ts';
import type { TaskId } from '../../runtime/ports/store.ts';
import { taskId, tasksOf } from '../../runtime/task/topology.ts';
import {
  type Commanded,
  type EdgeEnv,
  partitionAt,
  processorByName,
  type RestoreAnswer,
  type RestoreOrder,
} from '../env.ts';
import { inLanes } from '../lanes.ts';
import { isRelayName, partitionName, processorName, unknownPartition } from '../names.ts';
import { unwrap } from '../wire.ts';
import { type CatalogEffect, started } from './catalog-effects.ts';
import type { EntryTables } from './entry-tables.ts';
import type { TopicTables } from './topic-tables.ts';

/**
 * So much earlier than the topics are tasks put back with them: what a task has read and sent by its clock lies in all partitions then, whose
 * clocks are others. It takes the records in between again, and makes the same of them.
 */
const TASKS_EARLIER_MS = 60_000;

export interface RestoringOptions {
  readonly env: EdgeEnv;
  readonly tenant: string;
  readonly topics: TopicTables;
  readonly entries: EntryTables;
  /** Runs the body in one transaction and sends its effects once that has succeeded. */
  readonly commit: <T extends { readonly effects: readonly CatalogEffect[] }>(body: () => T) => T;
}

/** A task that is there, and what it was last told. */
interface Told extends Commanded {
  readonly object: string;
}

type Named = RestoreAnswer['topics'][number];

export class Restoring {
  readonly #options: RestoringOptions;

  constructor(options: RestoringOptions) {
    this.#options = options;
  }

  /** @throws {PortError} UNKNOWN_TOPIC, UNKNOWN_PARTITION; {StatementError} UNKNOWN_QUERY */
  async restore(order: RestoreOrder): Promise<RestoreAnswer> {
    const { commit, topics } = this.#options;
    const nothing = { topics: [], tasks: [], ended: [], newer: [] };
    switch (order.what) {
      case 'topic': {
        const named: Named[] = [];
        commit(() => this.#topic(order.topic, order.partition, order.toMs, named));
        return { ...nothing, topics: named };
      }
      case 'query': {
        const plan = this.#plan(order.query);
        commit(() => ({ effects: this.#tasksPutBack([plan], order.toMs) }));
        return { ...nothing, tasks: tasksOf(plan).map(taskId) };
      }
      case 'all': {
        const { toMs } = order;
        // Before anything changes: objects that do not answer are asked again with the whole order.
        const told = await this.#told();
        const named: Named[] = [];
        const { tasks, ended, newer } = commit(() => {
          const of = topics
            .list()
            .flatMap(({ name }) => this.#topic(name, null, toMs, named).effects);
          const back =
            toMs === null ? [] : this.#tasksPutBack(this.#plans, toMs - TASKS_EARLIER_MS);
          const again = this.#toldAgain(told);
          return { ...again, effects: [...of, ...back, ...again.effects] };
        });
        return { topics: named, tasks, ended, newer };
      }
    }
  }

  get #plans(): readonly Plan[] {
    return this.#options.entries.plans;
  }

  #plan(query: string): Plan {
    const plan = this.#options.entries.plan(query);
    if (plan !== null) return plan;
    throw new StatementError('UNKNOWN_QUERY', `query ${query} does not exist`, null);
  }

  #topic(
    topic: string,
    partition: number | null,
    toMs: number | null,
    named: Named[],
  ): { readonly effects: readonly CatalogEffect[] } {
    const { topics, tenant } = this.#options;
    const { incarnation, effects } = topics.restored(topic, null);
    if (partition !== null && partition >= effects.length)
      throw unknownPartition({ topic, partition });
    named.push({ name: topic, incarnation });
    if (toMs === null) return { effects };
    const all = effects.map((_, at): CatalogEffect => {
      const object = partitionName(tenant, { topic, partition: at });
      return { effect: 'putBack', object, of: 'partition', toMs };
    });
    // A partition is put back first, and told of the incarnation in its next life.
    return { effects: [...all.filter((_, at) => at === (partition ?? at)), ...effects] };
  }

  #tasksPutBack(plans: readonly Plan[], toMs: number): CatalogEffect[] {
    return plans.flatMap(tasksOf).map((name): CatalogEffect => {
      const object = processorName(this.#options.tenant, taskId(name));
      return { effect: 'putBack', object, of: 'processor', toMs };
    });
  }

  /** Of every task that the catalog or a partition knows. */
  async #told(): Promise<readonly Told[]> {
    const { env, tenant, topics } = this.#options;
    const at = topics.list().flatMap(({ name: topic, partitions }: TopicDescription) =>
      Array.from({ length: partitions }, (_, partition): TopicPartition => ({
        topic,
        partition,
      })),
    );
    const subscribers = await inLanes(at, async (one) => {
      const partition = partitionAt(env, tenant, one);
      return unwrap(partition.subscribers());
    });
    const planned = this.#plans.flatMap(tasksOf).map((name) => processorName(tenant, taskId(name)));
    const objects = new Set([
      ...subscribers.flat().filter((name) => !isRelayName(name)),
      ...planned,
    ]);
    return inLanes(objects, async (object) => {
      const told = await unwrap(processorByName(env, object).commanded());
      return { object, ...told };
    });
  }

  /**
   * Tells every task again what holds, under a number above all that any of them was told: a catalog that was put back gives numbers again that it
   * has given before, and tasks that were put back have not heard what they were told since. In the transaction of the restore.
   */
  #toldAgain(told: readonly Told[]): Again {
    const { entries, tenant, topics } = this.#options;
    const commands = new Map(told.map((one) => [one.object, one]));
    const number = Math.max(entries.number, ...told.map(({ command }) => command)) + 1;
    entries.skipTo(number);
    topics.changed();
    const tasks: TaskId[] = [];
    const newer: TaskId[] = [];
    const effects = this.#plans.flatMap((plan) => {
      const planned = entries.planned(plan.query)?.number ?? 0;
      const paused = entries.isPaused(plan.query);
      return started(tenant, plan, { planned, paused }).filter((effect) => {
        if (effect.effect !== 'start') return false;
        const { object, task } = effect.spec;
        const isNewer = (commands.get(object)?.planned ?? 0) > planned;
        commands.delete(object);
        (isNewer ? newer : tasks).push(taskId(task));
        return !isNewer;
      });
    });
    const again = effects.map((effect): CatalogEffect =>
      effect.effect === 'start'
        ? { ...effect, spec: { ...effect.spec, sequence: number } }
        : effect,
    );
    const removed = Array.from(commands.keys(), (object): CatalogEffect => {
      return { effect: 'remove', object, sequence: number };
    });
    return { effects: [...again, ...removed], tasks, newer, ended: [...commands.keys()] };
  }

  /** A partition was put back that has been read further, under the present incarnation. */
  found({ topic, partition }: TopicPartition, incarnation: string): void {
    const { topics, commit } = this.#options;
    if (topics.describe(topic)?.incarnation !== incarnation) return;
    commit(() => topics.restored(topic, partition));
  }

  /** Gives a topic another incarnation where a partition that has heard of all says that it has another one. */
  async realign(topic: string): Promise<void> {
    const { env, tenant, topics, commit } = this.#options;
    const known = topics.describe(topic);
    if (known === null) return;
    const partitions = Array(known.partitions).keys();
    const found = await inLanes(partitions, (partition) =>
      unwrap(partitionAt(env, tenant, { topic, partition }).bounds()).catch(unopened),
    );
    const isOther = found.some((bounds) => bounds?.incarnation !== known.incarnation);
    if (isOther && topics.describe(topic)?.incarnation === known.incarnation)
      commit(() => topics.restored(topic, null));
  }
}

type Again = Omit<RestoreAnswer, 'topics'> & { readonly effects: readonly CatalogEffect[] };

function unopened(thrown: unknown): null {
  if (thrown instanceof PortError && thrown.code === 'UNKNOWN_PARTITION') return null;
  throw thrown;
}
