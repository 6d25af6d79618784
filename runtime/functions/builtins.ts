// All functions that come with millrace, as one registry; knows no function itself.

import { AGGREGATES } from './aggregates.ts';
import { createRegistry } from './create-registry.ts';
import { MATH } from './math.ts';
import { NULLS } from './nulls.ts';
import type { FunctionRegistry, Overload } from './registry.ts';
import { STRINGS } from './strings.ts';
import { TIMES } from './times.ts';

/** Every built-in overload, in the order of resolution. */
const BUILTINS: readonly Overload[] = [...NULLS, ...MATH, ...STRINGS, ...TIMES, ...AGGREGATES];

/** A registry of the built-in functions and, after them, the caller's own. */
export function builtinRegistry(more: readonly Overload[] = []): FunctionRegistry {
  return createRegistry([...BUILTINS, ...more]);
}
