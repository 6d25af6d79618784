// The sub-topologies of a plan while they are built: ids, parts, topics between them and why they are or are not one; knows no statement.

import type { Schema } from '../data/schema.ts';
import type { Layout } from './remap.ts';
import type { Plan, Step, StepId, Subtopology } from './step.ts';

/** A node's step and where the columns of its logical schema stand in what the step emits. */
export interface Built {
  readonly id: StepId;
  readonly schema: Schema;
  readonly layout: Layout;
}

/** A sub-topology while it is built. */
export interface Part {
  readonly steps: Step[];
  readonly partitions: number;
  readonly rowByRow?: true | undefined;
}

/** What is built so far; steps are added to `part`. */
export class PlanBuilder {
  readonly query: string;
  readonly finished: Subtopology[] = [];
  readonly internalTopics: { name: string; partitions: number }[] = [];
  part: Part;
  #nextId = 1;
  readonly #fused: Plan['fused'][] = [];

  constructor(query: string, partitions: number) {
    this.query = query;
    this.part = { steps: [], partitions };
  }

  id(): StepId {
    return String(this.#nextId++);
  }

  /** Says why rows of two steps meet within a task, or do not. */
  noteFused(place: Plan['fused']): void {
    this.#fused.push(place);
  }

  /** All notes as one. */
  get fused(): Plan['fused'] {
    const whys = new Set(this.#fused.map(({ why }) => why));
    return {
      fused: this.#fused.every(({ fused }) => fused),
      why: whys.size === 0 ? 'nothing is repartitioned' : [...whys].join('; '),
    };
  }

  /** Ends the sub-topology. */
  finish(): void {
    this.finished.push({ id: this.finished.length, ...this.part });
  }
}
