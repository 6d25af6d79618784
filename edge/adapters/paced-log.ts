// The log as one push query reads it: no further ahead of its reader than there is room for; knows no query.

import type { Log } from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import type { Reading } from '../push-room.ts';
import type { RemoteLog } from './remote-log.ts';

export function pacedLog(log: RemoteLog, reading: Reading): Log {
  return {
    isRemote: log.isRemote,
    create: (topic) => log.create(topic),
    remove: (topic) => log.remove(topic),
    describe: (topic) => log.describe(topic),
    list: () => log.list(),
    append: (...append) => log.append(...append),
    appendAll: (...appends) => log.appendAll(...appends),
    read: async (at, from, bytesMax) => {
      const { fetched } = await reading.read(partitionKey(at), bytesMax, async (most) => {
        const found = await log.readWithin(at, from, most);
        const lengths = found.batches.map(({ bytes }) => bytes.length);
        const bytes = lengths.reduce((sum, length) => sum + length, 0);
        return { fetched: found, bytes, longest: Math.max(0, ...lengths), needed: found.needed };
      });
      return fetched;
    },
    bounds: (at) => log.bounds(at),
    offsetForTime: (at, ms) => log.offsetForTime(at, ms),
    trim: (at, before) => log.trim(at, before),
    subscribe: (at, wake) => log.subscribe(at, wake),
  };
}
