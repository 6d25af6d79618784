// Blocks of state whose arrays are used again once a store has given them back; knows no store and no group.

import type { BlockNames, StateBlock } from './store.ts';

type Arrays = Pick<StateBlock, 'ids' | 'starts' | 'values'>;

/** As many as wait in a store, about: pending-blocks.ts. */
const FREE_BLOCKS_MAX = 64;

/** Arrays that were given back, by whom they are of. */
const freeOf = new WeakMap<BlockNames, Arrays[]>();

/**
 * The block with arrays of its own, to be given back. Commits may follow each other fast: new arrays for each would be garbage that costs
 * more than the copying.
 */
export function copied(block: StateBlock): StateBlock {
  const { names, ids, starts, values } = block;
  const free = freeOf.get(names) ?? [];
  freeOf.set(names, free);
  const giveBack = (arrays: Arrays) => (): void => {
    if (free.length < FREE_BLOCKS_MAX) free.push(arrays);
  };
  const room = free.pop();
  if (room === undefined || room.ids.length < ids.length) {
    // Made of arrays, they are not filled with zeros before.
    const made = {
      ids: new Uint32Array(ids),
      starts: new Float64Array(starts),
      values: new Uint8Array(values),
    };
    return { ...block, ...made, giveBack: giveBack(made) };
  }
  room.ids.set(ids);
  room.starts.set(starts);
  room.values.set(values);
  return {
    ...block,
    ids: room.ids.subarray(0, ids.length),
    starts: room.starts.subarray(0, starts.length),
    values: room.values.subarray(0, values.length),
    giveBack: giveBack(room),
  };
}
