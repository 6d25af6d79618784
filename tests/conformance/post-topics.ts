// Compares the topics that queries have made with what a case says of them; knows no records.

import type { Catalog } from '../../runtime/catalog/catalog.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { Case } from './case.ts';
import { isArray, isObject, type Json, JsonNumber } from './json.ts';

/** What differs, as a sentence; null when the topics are as the case wants them. */
export function topicsDifference(
  { entry }: Case,
  catalog: Catalog,
  plans: readonly Plan[],
): string | null {
  const post = entry.get('post');
  const topics = isObject(post) ? post.get('topics') : null;
  if (!isObject(topics)) return null;
  const expected = topics.get('topics');
  for (const topic of isArray(expected) ? expected : []) {
    const different = topicDifference(topic, catalog);
    if (different !== null) return different;
  }
  const forbidden = topics.get('blacklist');
  if (typeof forbidden !== 'string') return null;
  const pattern = new RegExp(forbidden);
  const found = namesOf(catalog, plans).find((name) => pattern.test(name));
  return found === undefined ? null : `there is the topic ${found}`;
}

function topicDifference(expected: Json, catalog: Catalog): string | null {
  if (!isObject(expected)) return null;
  const name = textOf(expected.get('name'));
  const source = [...catalog.sources.values()].find(({ topic }) => topic === name);
  if (source === undefined) return `there is no topic ${name ?? 'without a name'}`;
  for (const [member, got] of [
    ['keyFormat', source.keyFormat.format],
    ['valueFormat', source.valueFormat.format],
    ['partitions', `${source.partitions}`],
  ] as const) {
    const wanted = textOf(expected.get(member));
    if (wanted !== null && wanted !== got) {
      return `the topic ${source.topic}: ${member}: expected ${wanted}, got ${got}`;
    }
  }
  return null;
}

function textOf(member: Json | undefined): string | null {
  if (isObject(member)) return textOf(member.get('format'));
  if (member instanceof JsonNumber) return member.text;
  return typeof member === 'string' ? member : null;
}

/** Internal topics have names of ours; they are called here as the names of ksqlDB end. Those between the two ends of a foreign-key join do not count. */
function namesOf(catalog: Catalog, plans: readonly Plan[]): string[] {
  const steps = plans.flatMap(({ subtopologies }) => subtopologies.flatMap((part) => part.steps));
  const foreign = new Set(
    steps.filter(({ step }) => step.startsWith('foreignKey')).map(({ id }) => id),
  );
  const internal = steps.flatMap((step) =>
    step.step === 'repartition' && !foreign.has(step.input) ? [`${step.topic}-repartition`] : [],
  );
  return [...[...catalog.sources.values()].map(({ topic }) => topic), ...internal];
}
