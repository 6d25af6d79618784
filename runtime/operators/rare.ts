// The operators of rarer statements, fetched together: sessions, EMIT FINAL, EMIT CHANGES EVERY, the end of retention.

export { coalesce } from './coalesce.ts';
export { expire } from './expiry.ts';
export { sessionAggregate } from './session-aggregate.ts';
export { suppress } from './suppress.ts';
