// Asks many objects, some at a time; knows no object.

import { OBJECTS_ASKED_MAX } from '../runtime/base/limits.ts';

/** What `ask` answers for each item, in their order, at most OBJECTS_ASKED_MAX under way. @throws the first that fails */
export async function inLanes<Item, Answer>(
  items: Iterable<Item>,
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const left = [...items].entries();
  const lane = async (): Promise<void> => {
    for (const [i, item] of left) answers[i] = await ask(item);
  };
  await Promise.all(Array.from({ length: OBJECTS_ASKED_MAX }, lane));
  return answers;
}
