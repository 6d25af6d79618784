// Cuts plans into sub-topologies with topics between them; knows no statement.

import type { FormatSpec } from '../formats/serde.ts';
import type { Built, PlanBuilder } from './builder.ts';
import type { StepId } from './step.ts';

/** Ends the sub-topology in an internal topic and begins the one that reads it; returns the step that does. */
export function repartition(
  builder: PlanBuilder,
  { id: input, schema: emitted }: Pick<Built, 'id' | 'schema'>,
  partitions: number,
  keyFormat: FormatSpec,
): StepId {
  const { topic, writing, reading } = internalTopic(builder, partitions);
  builder.part.steps.push({
    step: 'repartition',
    id: writing,
    input,
    schema: emitted,
    topic,
    partitions,
    keyFormat,
  });
  builder.finish();
  const source = { step: 'internalSource' as const, id: reading, topic, schema: emitted };
  builder.part = { steps: [source], partitions };
  return reading;
}

/** A topic between two sub-topologies, with the ids of the steps that write and read it. */
export function internalTopic(
  builder: PlanBuilder,
  partitions: number,
): { readonly topic: string; readonly writing: StepId; readonly reading: StepId } {
  const writing = builder.id();
  const topic = topicName(builder.query, writing);
  builder.internalTopics.push({ name: topic, partitions });
  return { topic, writing, reading: builder.id() };
}

/** Characters of a query's id in the names of its topics: its end, where its number stands. */
const TOPIC_ID_LENGTH_MAX = 200;

/** `__<query>.<step>-repartition`, with what a topic name cannot hold replaced. */
function topicName(query: string, step: StepId): string {
  const id = query.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(-TOPIC_ID_LENGTH_MAX);
  return `__${id}.${step}-repartition`;
}
