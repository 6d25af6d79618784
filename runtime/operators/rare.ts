// The operators of rarer statements, fetched together: sessions, sliding windows, EMIT FINAL, EMIT CHANGES EVERY, caches, RETENTION.

export { cache } from './cache.ts';
export { coalesce } from './coalesce.ts';
export { retention } from './retention.ts';
export { sessionAggregate } from './session-aggregate.ts';
export { slidingAggregate } from './sliding-aggregate.ts';
export { suppress } from './suppress.ts';
