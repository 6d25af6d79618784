// The public face of millrace/edge: the Worker and the classes of its objects.

export type { EdgeEnv } from './env.ts';
export type { RateLimits } from './guard/buckets.ts';
export type { ApiKey, Auth, KeysEnv, Principal } from './guard/principal.ts';
export type { TicketsEnv } from './guard/tickets.ts';
export { Catalog } from './objects/catalog.ts';
export { Partition } from './objects/partition.ts';
export { Processor } from './objects/processor.ts';
export { Relay } from './objects/relay.ts';
export { registerFunctions, registerProcessors } from './registry.ts';
export { createEdge, type Edge, type EdgeOptions } from './worker.ts';
