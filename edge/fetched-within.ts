// What a partition answers to whoever has no room for more than so many bytes; knows no object.

import type { Fetched } from '../runtime/ports/log.ts';

/** What a read found that may not bring more than there is room for. */
export interface FetchedWithin extends Fetched {
  /** Bytes of the first batch, where that is longer than the room: none comes then. Else 0. */
  readonly needed: number;
}
