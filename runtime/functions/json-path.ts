// The path of EXTRACTJSONFIELD, `$.name[0]["other name"]`, and the value it leads to; knows no function.

import { isArray, isObject, type JsonNode } from './json-node.ts';
import { refused } from './refused.ts';

/** One step: `.name` (letters, digits, `_` and `:`), `[name]`, `[0]` or `["any name"]` with `\"` and `\\`. */
const STEP = /\.([\p{L}\p{Nd}_:]+)|\[([\p{L}\p{Nd}_]+)\]|\["((?:[^"\\]|\\["\\])*)"\]/uy;

/** The names and places along a path. @throws {RecordError} EXPRESSION when it is none */
export function parsePath(path: string): readonly string[] {
  const steps: string[] = [];
  let at = 1;
  let found = path.startsWith('$');
  while (found && at < path.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(path);
    if (match === null) found = false;
    else {
      const [whole, name, subscript, quoted] = match;
      steps.push(name ?? subscript ?? (quoted ?? '').replace(/\\(.)/gsu, '$1'));
      at += whole.length;
    }
  }
  if (found) return steps;
  throw refused(path, 'is no path into JSON: it begins with $, then come .name, [0] or ["name"]');
}

/** The value at the end of a path; undefined where it leads nowhere. */
export function follow(node: JsonNode | undefined, path: readonly string[]): JsonNode | undefined {
  let at = node;
  for (const step of path) {
    if (at === undefined) return undefined;
    if (isArray(at)) at = /^\d{1,9}$/u.test(step) ? at[Number(step)] : undefined;
    else at = isObject(at) ? at.get(step) : undefined;
  }
  return at;
}
