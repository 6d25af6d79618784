// Names of tasks and what each of them reads and writes, from the plan alone; knows no operator and no host.

import { existing } from '../base/assert.ts';
import type { Plan, Subtopology } from '../plan/step.ts';
import type { TopicPartition } from '../ports/log.ts';
import type { TaskId } from '../ports/store.ts';

/** One sub-topology of one query on one partition. */
export interface TaskName {
  readonly query: string;
  readonly subtopology: number;
  readonly partition: number;
}

export function taskId(name: TaskName): TaskId {
  return `${name.query}/${name.subtopology}/${name.partition}`;
}

/** All tasks of a plan, upstream first. */
export function tasksOf(plan: Plan): readonly TaskName[] {
  return plan.subtopologies.flatMap((part) =>
    Array.from({ length: part.partitions }, (_, partition) => ({
      query: plan.query,
      subtopology: part.id,
      partition,
    })),
  );
}

/** The sub-topology of that id. @throws {InvariantError} when the plan has none */
export function subtopologyOf(plan: Plan, id: number): Subtopology {
  return existing(
    plan.subtopologies.find((part) => part.id === id),
    'sub-topology',
  );
}

/**
 * The partitions that a task reads, in the order of the plan's sources: its inputs by number. A topic of several sources is one
 * input.
 */
export function inputsOf(part: Subtopology, partition: number): readonly TopicPartition[] {
  const topics = part.steps.flatMap((step) =>
    step.step === 'source' || step.step === 'internalSource' ? [step.topic] : [],
  );
  return [...new Set(topics)].map((topic) => ({ topic, partition }));
}
