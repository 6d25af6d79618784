// A log whose reads are made in another way, and which is itself in all else; knows no reader.

import type { Log } from '../../runtime/ports/log.ts';

/** @param read instead of the log's own */
export function readBy(log: Log, read: Log['read']): Log {
  return {
    isRemote: log.isRemote,
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: (...append) => log.append(...append),
    ...(log.appendAll && { appendAll: log.appendAll.bind(log) }),
    read,
    bounds: (at) => log.bounds(at),
    offsetForTime: (at, ms) => log.offsetForTime(at, ms),
    trim: (at, before) => log.trim(at, before),
    subscribe: (at, wake) => log.subscribe(at, wake),
  };
}
