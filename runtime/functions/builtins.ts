// All functions that come with millrace, as one registry; knows no function itself.

import { AGGREGATES } from './aggregates.ts';
import { createRegistry } from './create-registry.ts';
import { THEMES, type Theme } from './parts.ts';
import type { FunctionRegistry, Overload } from './registry.ts';
import type { Processor } from './user-processor.ts';

/** The functions of the main job: the others are fetched. */
const COMMON: Theme = {
  names: AGGREGATES.map(({ name }) => name),
  part: { code: { overloads: AGGREGATES } },
};

/** A registry of the built-in functions and, after them, the caller's own; with the caller's processors. */
export function builtinRegistry(
  more: readonly Overload[] = [],
  processors: readonly Processor[] = [],
): FunctionRegistry {
  return createRegistry(more, [COMMON], THEMES, processors);
}
