// All parts of an engine, and how they are made to be missing as on a page that has just begun, however often they have been fetched.

import * as analyze from '../../runtime/analyze/parts.ts';
import { Part, PartMissing } from '../../runtime/base/part.ts';
import * as catalog from '../../runtime/catalog/parts.ts';
import * as data from '../../runtime/data/parts.ts';
import * as own from '../../runtime/engine/own-parts.ts';
import * as expr from '../../runtime/expr/parts.ts';
import * as formats from '../../runtime/formats/parts.ts';
import * as functions from '../../runtime/functions/parts.ts';
import * as operators from '../../runtime/operators/parts.ts';
import * as plan from '../../runtime/plan/parts.ts';
import * as ports from '../../runtime/ports/parts.ts';
import * as sql from '../../runtime/sql/parts.ts';
import * as task from '../../runtime/task/parts.ts';

/** What each folder exports of parts; the kernel's half for JSON, and the code beside a whole one (all that state has), are each host's to fetch. */
const FOLDERS = {
  analyze,
  catalog,
  data,
  own,
  expr,
  formats,
  functions,
  operators,
  plan,
  ports,
  sql,
  task: { ...task, JSON_MODULE: null, KERNEL_DECODERS: null },
};

/** The parts of each folder. */
export const PARTS_BY_FOLDER: readonly (readonly [string, readonly Part<object>[]])[] =
  Object.entries(FOLDERS).map(([folder, exported]) => [
    folder,
    Object.values(exported).filter((value) => value instanceof Part),
  ]);

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
