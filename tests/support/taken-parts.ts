// Makes parts be missing as they are on a page that has just begun, however often they have been fetched; knows no part.

import { type Part, PartMissing } from '../../runtime/base/part.ts';

/** Takes the code of the parts away: each is there again once it has been fetched. @returns puts all of it back */
export function takeAway(parts: Iterable<Part<object>>): () => void {
  const taken = [...parts].filter((part) => part.fetched !== null);
  const putBack = (part: Part<object>): void => {
    for (const name of ['code', 'fetched', 'load'] as const) Reflect.deleteProperty(part, name);
  };
  for (const part of taken) {
    Object.defineProperties(part, {
      code: {
        configurable: true,
        get: () => {
          throw new PartMissing(part);
        },
      },
      fetched: { configurable: true, value: null },
      load: {
        configurable: true,
        value: async () => {
          // As a fetch, it takes a while.
          await new Promise((arrived) => setTimeout(arrived));
          putBack(part);
          return part.code;
        },
      },
    });
  }
  return () => taken.forEach(putBack);
}
