// All functions that come with millrace, as one registry; knows no function itself.

import { createRegistry } from './create-registry.ts';
import { AGGREGATES, THEMES } from './parts.ts';
import type { FunctionRegistry, Overload } from './registry.ts';

/** A registry of the built-in functions and, after them, the caller's own. */
export function builtinRegistry(more: readonly Overload[] = []): FunctionRegistry {
  return createRegistry(more, [AGGREGATES], THEMES);
}
