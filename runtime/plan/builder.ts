// The sub-topologies of a plan while they are built: ids, parts, topics between them and why they are or are not one; knows no statement.

import type { Schema } from '../data/schema.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { internalTopic } from './grouping.ts';
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
  readonly #query: string;
  readonly finished: Subtopology[] = [];
  readonly internalTopics: { name: string; partitions: number }[] = [];
  part: Part;
  #nextId = 1;
  readonly #fused: Plan['fused'][] = [];

  constructor(query: string, partitions: number) {
    this.#query = query;
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

  /** Ends the sub-topology in an internal topic and begins the one that reads it; returns the step that does. */
  repartition(
    { id: input, schema: emitted }: Pick<Built, 'id' | 'schema'>,
    partitions: number,
    keyFormat: FormatSpec,
  ): StepId {
    const { topic, writing, reading } = this.internalTopic(partitions);
    this.part.steps.push({
      step: 'repartition',
      id: writing,
      input,
      schema: emitted,
      topic,
      partitions,
      keyFormat,
    });
    this.finish();
    const source = { step: 'internalSource' as const, id: reading, topic, schema: emitted };
    this.part = { steps: [source], partitions };
    return reading;
  }

  /** A topic between two sub-topologies, with the ids of the steps that write and read it. */
  internalTopic(partitions: number): {
    readonly topic: string;
    readonly writing: StepId;
    readonly reading: StepId;
  } {
    const writing = this.id();
    const topic = internalTopic(this.#query, writing);
    this.internalTopics.push({ name: topic, partitions });
    return { topic, writing, reading: this.id() };
  }
}
