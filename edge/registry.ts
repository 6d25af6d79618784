// The functions that statements and tasks of the edge may call, once all code is there; one registry an isolate, because heavy bodies load once.

import { DECODERS_GROWN_BYTES_MAX } from '../runtime/base/limits.ts';
import { loadParts } from '../runtime/engine/parts.ts';
import { loadWholeKernel } from '../runtime/engine/whole-kernel.ts';
import { builtinRegistry } from '../runtime/functions/builtins.ts';
import type { FunctionRegistry, Overload } from '../runtime/functions/registry.ts';
import { type Processor, refuseSameNames } from '../runtime/functions/user-processor.ts';
import { grownDecoders } from '../runtime/task/grown-decoders.ts';

// Everything is in one bundle here, and a turn of an object must not wait: so the parts that a page fetches on first
// use are fetched as the Worker starts, before anything can ask for the registry.
await loadParts();
await loadWholeKernel();
grownDecoders.bytesMax = DECODERS_GROWN_BYTES_MAX;

const own: Overload[] = [];
const processors: Processor[] = [];
let current = builtinRegistry();

/**
 * Adds functions to the built-in ones, for every statement and task of this Worker. To be called while the Worker's module is
 * evaluated, before it handles anything, and in each version that is deployed as long as a query calls one of them:
 *
 * ```ts
 * import { scalarFunction } from 'millrace';
 * import { createEdge, registerFunctions } from 'millrace/edge';
 *
 * registerFunctions([scalarFunction({ name: 'TWICE', ... })]);
 * export default createEdge();
 * ```
 */
export function registerFunctions(functions: readonly Overload[]): void {
  own.push(...functions);
  current = builtinRegistry(own, processors);
}

/**
 * Adds processors in code, for every tenant of this Worker, at the same time as functions and in each version that is deployed until their
 * queries are terminated. Each begins once its streams and tables are there.
 * @throws {TypeError} when two have one name
 */
export function registerProcessors(more: readonly Processor[]): void {
  refuseSameNames([...processors, ...more]);
  processors.push(...more);
  current = builtinRegistry(own, processors);
}

/** What has been registered by the time of each call. */
export const registry: FunctionRegistry = {
  get processors() {
    return current.processors;
  },
  get names() {
    return current.names;
  },
  has: (name) => current.has(name),
  overloads: (name) => current.overloads(name),
  resolve: (name, argumentTypes) => current.resolve(name, argumentTypes),
  bySignature: (name, signature) => current.bySignature(name, signature),
  load: (name, signature) => current.load(name, signature),
};
