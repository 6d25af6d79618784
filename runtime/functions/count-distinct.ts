// COUNT_DISTINCT: about how many different values there are, by HyperLogLog over a hash of their bytes; knows no group.

import { ByteWriter } from '../base/bytes.ts';
import { compareBytes } from '../base/byte-arrays.ts';
import { BIGINT, BYTES, type Type, type Value } from '../data/type.ts';
import { isItems } from '../data/value.ts';
import { writeValue } from '../data/value-bytes.ts';
import { aggregate, ANY, first, parameter } from './declare.ts';
import type { AggregateBody } from './registry.ts';

/** 2^14 registers: the standard error is 1.04 / sqrt(2^14) = 0.8 %. */
const INDEX_BITS = 14;
export const REGISTERS = 1 << INDEX_BITS;
export const RANK_BITS = 6;
export const RANK_MASK = (1 << RANK_BITS) - 1;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/*
 * The cell, in one of two forms that its length tells apart; the same registers are always the same bytes:
 *
 *   sparse   3 bytes a register that is not 0, ascending:  | index << 6 | rank, little endian |
 *   dense    16384 bytes:                                  | rank of register 0 | 1 | ... |
 *
 * The sparse form stands while it is the shorter one.
 */
export const ENTRY_BYTES = 3;
export const SPARSE_ENTRIES_MAX = Math.floor((REGISTERS - 1) / ENTRY_BYTES);

function entryAt(sparse: Uint8Array, at: number): number {
  const from = at * ENTRY_BYTES;
  return (
    (sparse[from] as number) |
    ((sparse[from + 1] as number) << 8) |
    ((sparse[from + 2] as number) << 16)
  );
}

export function putEntry(into: Uint8Array, at: number, entry: number): void {
  const from = at * ENTRY_BYTES;
  into[from] = entry;
  into[from + 1] = entry >> 8;
  into[from + 2] = entry >> 16;
}

/** The registers with one of them raised to `rank`: what is given is changed, and may be no more what holds them. */
function raised(registers: Uint8Array, index: number, rank: number): Uint8Array {
  const { length } = registers;
  if (length === REGISTERS) {
    const known = registers[index] as number;
    if (known >= rank) return registers;
    const counts = ranksOf(registers);
    registers[index] = rank;
    counts[known] = (counts[known] as number) - 1;
    counts[rank] = (counts[rank] as number) + 1;
    return registers;
  }
  const count = length / ENTRY_BYTES;
  let from = 0;
  for (let to = count; from < to;) {
    const middle = (from + to) >> 1;
    if (entryAt(registers, middle) >> RANK_BITS < index) from = middle + 1;
    else to = middle;
  }
  const entry = (index << RANK_BITS) | rank;
  const known = from < count ? entryAt(registers, from) : -1;
  if (known >> RANK_BITS === index) {
    if (known < entry) putEntry(registers, from, entry);
    return registers;
  }
  if (count === SPARSE_ENTRIES_MAX) return raised(dense(registers), index, rank);
  // Beyond its entries their array has room for as many again.
  let { buffer } = registers;
  if (buffer.byteLength < length + ENTRY_BYTES) {
    buffer = new ArrayBuffer(length * 2 + ENTRY_BYTES);
    new Uint8Array(buffer).set(registers);
  }
  const longer = new Uint8Array(buffer, 0, length + ENTRY_BYTES);
  longer.copyWithin((from + 1) * ENTRY_BYTES, from * ENTRY_BYTES, length);
  putEntry(longer, from, entry);
  return longer;
}

function dense(sparse: Uint8Array): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  eachEntry(sparse, (index, rank) => {
    registers[index] = rank;
  });
  return registers;
}

function eachEntry(sparse: Uint8Array, visit: (index: number, rank: number) => void): void {
  for (let at = 0; at < sparse.length / ENTRY_BYTES; at++) {
    const entry = entryAt(sparse, at);
    visit(entry >> RANK_BITS, entry & RANK_MASK);
  }
}

/** Every register that is not 0, ascending. */
export function each(registers: Uint8Array, visit: (index: number, rank: number) => void): void {
  if (registers.length !== REGISTERS) {
    eachEntry(registers, visit);
    return;
  }
  for (let index = 0; index < REGISTERS; index++) {
    const rank = registers[index] as number;
    if (rank > 0) visit(index, rank);
  }
}

/** How many registers of a dense form have each rank, so that a row does not look at all registers. */
const RANKS = new WeakMap<Uint8Array, Int32Array>();

function ranksOf(dense: Uint8Array): Int32Array {
  const known = RANKS.get(dense);
  if (known !== undefined) return known;
  const counts = new Int32Array(1 << RANK_BITS);
  for (let index = 0; index < REGISTERS; index++) {
    const rank = dense[index] as number;
    counts[rank] = (counts[rank] as number) + 1;
  }
  RANKS.set(dense, counts);
  return counts;
}

/** The estimate of Flajolet and others, with linear counting while few registers are filled: in the sparse form always, so that it needs no look at them. */
function estimate(registers: Uint8Array): bigint {
  if (registers.length !== REGISTERS) return linear(REGISTERS - registers.length / ENTRY_BYTES);
  return denseEstimate(ranksOf(registers));
}

/** By how many registers have each rank, in the dense form. */
export function denseEstimate(counts: Int32Array): bigint {
  const zeros = counts[0] as number;
  let sum = 0;
  for (let rank = 1; rank < counts.length; rank++) sum += (counts[rank] as number) / 2 ** rank;
  const raw = (ALPHA * REGISTERS * REGISTERS) / (sum + zeros);
  return raw <= 2.5 * REGISTERS && zeros > 0 ? linear(zeros) : BigInt(Math.round(raw));
}

/** A row that raises no register asks again. */
const LINEAR: bigint[] = [];

/** By how many registers are 0. */
export function linear(zeros: number): bigint {
  return (LINEAR[zeros] ??= BigInt(Math.round(REGISTERS * Math.log(REGISTERS / zeros))));
}

/** MurmurHash3 of the first `length` bytes, behind which are three zeros at least; 32 bits. Stored states depend on it. */
function murmur3(bytes: Uint8Array, length: number, seed: number): number {
  let h = seed;
  for (let i = 0; i < length; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h ^= length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The register that a value raises, and to which rank, as an entry of the sparse form: of the value's bytes, as for murmur3. */
export function entryOf(bytes: Uint8Array, length: number): number {
  const high = murmur3(bytes, length, 0);
  // The index takes the first bits; the rank is where the first 1 stands among the other 50.
  const rest = high << INDEX_BITS;
  const free = 32 - INDEX_BITS;
  const rank =
    rest === 0
      ? free + Math.clz32(murmur3(bytes, length, 0x9747b28c | 0)) + 1
      : Math.clz32(rest) + 1;
  return ((high >>> free) << RANK_BITS) | rank;
}

const writer = new ByteWriter();

/** As `entryOf`, of a value that is not null. */
export function entryOfValue(type: Type, value: Value): number {
  writer.truncate(0);
  writeCanonical(writer, type, value);
  const length = writer.position;
  writer.zeros(3);
  return entryOf(writer.buffer, length);
}

/** Writes the value so that equal values have equal bytes: maps in the order of their entries' bytes. */
function writeCanonical(to: ByteWriter, type: Type, value: Value): void {
  to.u8(value === null ? 0 : 1);
  if (type.kind === 'ARRAY' && isItems(value)) {
    to.u32(value.length);
    for (const item of value) writeCanonical(to, type.item, item);
  } else if (type.kind === 'STRUCT' && isItems(value)) {
    type.fields.forEach((field, i) => writeCanonical(to, field.type, value[i] ?? null));
  } else if (type.kind === 'MAP' && value instanceof Map) {
    const entries = [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => {
      const entry = new ByteWriter();
      writeCanonical(entry, type.key, key);
      writeCanonical(entry, type.value, item);
      return entry.finish();
    });
    to.u32(entries.length);
    for (const entry of entries.sort(compareBytes)) to.bytes(entry);
  } else if (value !== null) writeValue(to, type, value);
}

function countDistinctBody(type: Type): AggregateBody {
  return {
    cells: [BYTES],
    initial: () => [new Uint8Array(0)],
    copy([registers = null]) {
      const own = (registers as Uint8Array).slice();
      const counts = RANKS.get(registers as Uint8Array);
      if (counts !== undefined) RANKS.set(own, counts.slice());
      return [own];
    },
    add(cells, [value = null]) {
      if (value === null) return;
      const entry = entryOfValue(type, value);
      cells[0] = raised(cells[0] as Uint8Array, entry >> RANK_BITS, entry & RANK_MASK);
    },
    undo: null,
    merge(into, from) {
      let registers = into[0] as Uint8Array;
      each(from[0] as Uint8Array, (index, rank) => {
        registers = raised(registers, index, rank);
      });
      into[0] = registers;
    },
    result: (cells) => estimate(cells[0] as Uint8Array),
  };
}

export const COUNT_DISTINCT = aggregate({
  name: 'COUNT_DISTINCT',
  description:
    'About how many different values there are, nulls left out, with a standard error below 1 %.',
  parameters: [parameter('value', ANY)],
  returns: BIGINT,
  body: (types) => countDistinctBody(first(types)),
});
