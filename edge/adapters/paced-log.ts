// The log as one push query reads it: no further ahead of its reader than there is room for; knows no query.

import type { Log } from '../../runtime/ports/log.ts';
import { partitionKey } from '../../runtime/ports/wakes.ts';
import type { Reading } from '../push-room.ts';
import { readBy } from './read-by.ts';
import type { RemoteLog } from './remote-log.ts';

export function pacedLog(log: RemoteLog, reading: Reading): Log {
  return readBy(log, async (at, from, bytesMax) => {
    const { fetched } = await reading.read(partitionKey(at), bytesMax, async (most) => {
      const found = await log.readWithin(at, from, most);
      const lengths = found.batches.map(({ bytes }) => bytes.length);
      const bytes = lengths.reduce((sum, length) => sum + length, 0);
      return { fetched: found, bytes, longest: Math.max(0, ...lengths), needed: found.needed };
    });
    return fetched;
  });
}
