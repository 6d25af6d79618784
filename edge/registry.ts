// The functions that statements and tasks of the edge may call, once all code is there; one registry an isolate, because heavy bodies load once.

import { loadParts } from '../runtime/engine/parts.ts';
import { builtinRegistry } from '../runtime/functions/builtins.ts';
import type { FunctionRegistry } from '../runtime/functions/registry.ts';

// Everything is in one bundle here, and a turn of an object must not wait: so the parts that a page fetches on first
// use are fetched as the Worker starts, before anything can ask for the registry.
async function readyRegistry(): Promise<FunctionRegistry> {
  await loadParts();
  return builtinRegistry();
}

export const registry: FunctionRegistry = await readyRegistry();
