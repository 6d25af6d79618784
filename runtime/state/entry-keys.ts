// Numbers the keys of a column's dictionary entries in one loop; knows no table.

import { grown } from '../base/grown.ts';
import { hashBytes } from '../base/hash.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { Interner } from '../data/interner.ts';
import { PRESENT } from '../data/key-writer.ts';
import { NO_ID } from './long-ids.ts';
import type { KeyIndex } from './row-keys.ts';

const FIRST_KEYS = 16;
const FIRST_BYTES = 4096;

/** Dictionaries that have been looked through: short runs of a large one come again and again. */
const withoutZero = new WeakSet<Dictionary>();

/**
 * Writes the number of each row's (not position's) key into `ids`, as RowKeys does that asks for one entry after the other: a key is written
 * behind those that the index has, and stays there when it is new.
 * @param entryIds by code the number of the entry's key, below NO_ID where it has none yet
 * @returns false where a text holds a zero byte, which a key escapes, or the index is none of texts: then nothing is done
 */
export function numberEntries(
  index: KeyIndex,
  { selection, length }: Batch,
  { dictionary, validity, values: codes }: Column & { readonly storage: 'dictionary' },
  entryIds: Int32Array,
  ids: Int32Array,
): boolean {
  if (!(index instanceof Interner)) return false;
  const { bytes, offsets } = dictionary;
  if (!withoutZero.has(dictionary)) {
    if (bytes.includes(0)) return false;
    withoutZero.add(dictionary);
  }
  // Of later ones none may be new.
  const most = index.size === 0 ? Math.min(length, dictionary.size) : 0;
  if (most >= index.offsets.length) index.grow(Math.max(FIRST_KEYS, 2 << (31 - Math.clz32(most))));
  let { bytes: own, offsets: ends, places, size } = index;
  let mask = places.length - 1;
  let start = ends[size] as number;
  for (let i = 0; i < length; i++) {
    const position = selection === null ? i : (selection[i] as number);
    if (validity !== null && !bitAt(validity, position)) {
      ids[i] = NO_ID;
      continue;
    }
    const code = codes[position] as number;
    let id = entryIds[code] as number;
    if (id < NO_ID) {
      if (size + 1 === ends.length) {
        index.size = size;
        index.grow();
        ({ offsets: ends, places } = index);
        mask = places.length - 1;
      }
      const to = offsets[code + 1] as number;
      let from = offsets[code] as number;
      let end = start + to - from + 3;
      if (end > own.length)
        index.bytes = own = grown(own, Math.max(end, own.length * 2, FIRST_BYTES));
      end = start;
      own[end++] = PRESENT;
      while (from < to) own[end++] = bytes[from++] as number;
      own[end++] = 0;
      own[end++] = 0;
      const hash = hashBytes(own, start, end);
      let place = (hash * 2) & mask;
      for (;;) {
        id = (places[place] as number) - 1;
        if (id < 0 || (places[place + 1] === hash && index.holds(id, own, start, end))) break;
        place = (place + 2) & mask;
      }
      if (id < 0) {
        id = size++;
        places[place] = size;
        places[place + 1] = hash;
        ends[size] = start = end;
      }
      entryIds[code] = id;
    }
    ids[i] = id;
  }
  index.size = size;
  return true;
}
