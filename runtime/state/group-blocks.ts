// Changed groups of the row path handed over side by side, as the kernel's are: keys are named when somebody reads them. Knows no window's rule.

import { ByteWriter, setFloat64 } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import type { Interner } from '../data/interner.ts';
import { writeWindow } from '../data/key-writer.ts';
import { copied } from '../ports/block-copies.ts';
import { NumberedPack } from '../ports/numbered-pack.ts';
import type { BlockNames, IntoBlock } from '../ports/store.ts';
import { type AggregateTableOptions, PACKED_GROUPS_MIN } from './aggregate-table.ts';
import { SlotMemory } from './slot-memory.ts';

export { wideAccumulators } from './wide-accumulators.ts';

/** Groups of one block: its arrays stay near while they are filled, and a store has many of them to use again. */
const BLOCK_GROUPS = 1024;

/**
 * Groups that stay in memory after a commit although no row came to them lately. The store holds all in memory too, and to read one there
 * costs more than to keep it.
 */
const IDLE_RESIDENT_MAX = 1_048_576;

/** The groups of a table. */
interface SlotGroups {
  /** What ids mean. */
  readonly index: Interner;
  /** Group id by slot. */
  readonly groups: Int32Array;
  readonly starts: Float64Array;
}

/** What ids of an index mean. */
interface GroupKeys extends BlockNames {
  /** Bytes of a key. */
  lengthOf(id: number): number;
}

/** One object an index, because ids die with it. */
const namesOf = new WeakMap<Interner, GroupKeys>();

function blockNames(
  index: Interner,
  { names, windowed }: Pick<AggregateTableOptions, 'names' | 'windowed'>,
): GroupKeys {
  let known = namesOf.get(index);
  if (known === undefined) {
    const scratch = new ByteWriter(64);
    const write = (id: number, startMs: number): void => {
      scratch.truncate(0);
      names.writeKey(scratch, index.key(id));
      if (windowed) writeWindow(scratch, startMs, null);
    };
    // By id; 0: not asked for yet.
    let lengths = new Uint32Array(0);
    known = {
      key(id, startMs) {
        write(id, startMs);
        return scratch.finish();
      },
      lengthOf(id) {
        if (id >= lengths.length) lengths = grown(lengths, index.size * 2);
        if (lengths[id] === 0) {
          write(id, 0);
          lengths[id] = scratch.position;
        }
        return lengths[id] as number;
      },
    };
    namesOf.set(index, known);
  }
  return known;
}

/**
 * Hands over the groups in these slots, window by window, but for those of windows that start at `closedMs` or before.
 * Cost: a copy of each state, no object and no key.
 * @returns how many groups may stay in memory; null: nothing was handed over, as their states are not of one size
 */
export function handOverGroups(
  options: AggregateTableOptions,
  of: SlotGroups,
  slots: Int32Array,
  closedMs: number,
  intoBlock: IntoBlock,
): number | null {
  const { table, accumulators } = options;
  const { memory } = accumulators;
  if (memory === undefined) return handOverStates(options, of, slots, closedMs, intoBlock);
  const { index, groups, starts } = of;
  const names = blockNames(index, options);
  const valueBytes = memory.stride * 8;
  const ordered = byWindow(slots, starts, closedMs);
  const most = Math.min(BLOCK_GROUPS, ordered.length);
  const ids = new Uint32Array(most);
  const windows = new Float64Array(most);
  const values = new Uint8Array(most * valueBytes);
  for (let from = 0; from < ordered.length; from += BLOCK_GROUPS) {
    const part = ordered.subarray(from, from + BLOCK_GROUPS);
    const { length } = part;
    for (let i = 0; i < length; i++) {
      const slot = part[i] as number;
      ids[i] = groups[slot] as number;
      windows[i] = starts[slot] as number;
    }
    encodeSlots(memory, part, values);
    const block = {
      table,
      names,
      ids: ids.subarray(0, length),
      starts: windows.subarray(0, length),
      values: values.subarray(0, length * valueBytes),
      valueBytes,
      closedMs,
    };
    intoBlock(copied(block));
  }
  return IDLE_RESIDENT_MAX;
}

/** The slots of each window side by side, without those of windows that start at `closedMs` or before. */
function byWindow(slots: Int32Array, starts: Float64Array, closedMs: number): Int32Array {
  const windows = new Map<number, number>();
  const counts: number[] = [];
  const windowOf = new Uint32Array(slots.length);
  let lastMs = NaN;
  let window = 0;
  for (let i = 0; i < slots.length; i++) {
    const startMs = starts[slots[i] as number] as number;
    if (startMs !== lastMs) {
      lastMs = startMs;
      window = windows.get(startMs) ?? windows.size;
      if (window === windows.size) {
        windows.set(startMs, window);
        counts.push(0);
      }
    }
    windowOf[i] = window;
    counts[window] = (counts[window] as number) + 1;
  }
  let total = 0;
  const places = [...windows.keys()].map((startMs, at) => {
    if (startMs <= closedMs) return -1;
    const place = total;
    total += counts[at] as number;
    return place;
  });
  if (places.length === 1 && total > 0) return slots;
  const ordered = new Int32Array(total);
  for (let i = 0; i < slots.length; i++) {
    const at = windowOf[i] as number;
    const place = places[at] as number;
    if (place < 0) continue;
    ordered[place] = slots[i] as number;
    places[at] = place + 1;
  }
  return ordered;
}

/** Writes the states of slots one after the other, as `SlotMemory.encode` gives each. */
function encodeSlots(memory: SlotMemory, slots: Int32Array, into: Uint8Array): void {
  const { stride, f64, doubles } = memory;
  // Integers, not doubles, are copied: a double's copy may change the bits of a NaN.
  const cells = new BigInt64Array(f64.buffer);
  const to = new BigInt64Array(into.buffer);
  let at = 0;
  for (let i = 0; i < slots.length; i++) {
    const from = (slots[i] as number) * stride;
    for (let cell = from; cell < from + stride; cell++) to[at++] = cells[cell] as bigint;
  }
  for (const cell of doubles) {
    const offset = SlotMemory.offsetOf(cell);
    for (let i = 0; i < slots.length; i++) {
      const value = f64[(slots[i] as number) * stride + offset] as number;
      // Stored bytes have one NaN.
      if (Number.isNaN(value))
        setFloat64(new DataView(into.buffer), (i * stride + offset) * 8, value);
    }
  }
}

/** Groups whose states are of any size stay likewise: one may be large. */
const IDLE_WIDE_MAX = 262_144;

/** As `handOverGroups`, of states that are not of one size. */
function handOverStates(
  options: AggregateTableOptions,
  { index, groups, starts }: SlotGroups,
  slots: Int32Array,
  closedMs: number,
  intoBlock: IntoBlock,
): number | null {
  const { table, accumulators } = options;
  if (accumulators.write === undefined || slots.length < PACKED_GROUPS_MIN) return null;
  const ordered = byWindow(slots, starts, closedMs);
  const { length } = ordered;
  if (length === 0) return IDLE_WIDE_MAX;
  const to = new ByteWriter(length * 64);
  const ids = new Uint32Array(length);
  const windows = new Float64Array(length);
  const ends = new Uint32Array(length);
  const names = blockNames(index, options);
  let keyBytes = 0;
  for (let i = 0; i < length; i++) {
    const slot = ordered[i] as number;
    const group = groups[slot] as number;
    accumulators.write(slot, to);
    ids[i] = group;
    windows[i] = starts[slot] as number;
    ends[i] = to.position;
    keyBytes += names.lengthOf(group);
  }
  const values = to.finish();
  intoBlock(
    new NumberedPack({ table, names, ids, starts: windows, values, ends, keyBytes, closedMs }),
  );
  return IDLE_WIDE_MAX;
}
