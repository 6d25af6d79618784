// Asks many objects, some at a time; knows no object.

import { OBJECTS_ASKED_MAX } from '../runtime/base/limits.ts';

/** What `ask` answers for each item, in their order, at most OBJECTS_ASKED_MAX under way. @throws the first that fails, behind which no more are asked */
export async function inLanes<Item, Answer>(
  items: Iterable<Item>,
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const left = [...items].entries();
  let isOver = false;
  const lane = async (): Promise<void> => {
    try {
      for (const [i, item] of left) {
        if (isOver) return;
        answers[i] = await ask(item);
      }
    } finally {
      // The last one has been taken, or one has failed.
      isOver = true;
    }
  };
  await Promise.all(Array.from({ length: OBJECTS_ASKED_MAX }, lane));
  return answers;
}
