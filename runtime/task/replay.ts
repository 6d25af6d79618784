// How far a task that makes its state again must keep silent, and what tells others that it does; knows no operator.

import type { StateReader } from '../ports/store.ts';

/** Stands among the stream times: the offset behind which what the task makes is new; 0 when it makes nothing again. */
export const REPLAY = '@replay';

/** The key of the one row of the table of that name, which stands as long. */
export const REPLAY_KEY = new Uint8Array(1);

/** The change of the commit with which it is done. */
export const REPLAYED = { table: REPLAY, key: REPLAY_KEY, value: null };

/** True while the state is not yet again what it was. */
export function isRebuilding(state: StateReader): boolean {
  return state.get(REPLAY, REPLAY_KEY) !== null;
}
