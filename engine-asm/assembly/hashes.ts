// Hashes of key bytes, and bytes compared, as words; knows no dictionary.

import { IS_WHOLE } from './whole';

const MIX_A: u64 = 0x9e3779b97f4a7c15;
const MIX_B: u64 = 0xd6e8feb86659fd93;

let seed: u64 = 0;

/** Once, before the first hash. */
export function openHashes(hashSeed: u32): void {
  seed = <u64>hashSeed * MIX_A;
  if (IS_WHOLE) memory.fill(ones, 0xff, SHORT_BYTES);
}

/** Keys of at most so many bytes are looked at as two words. */
export const SHORT_BYTES: u32 = 16;

/** The first 8 bytes of a key, or all of a shorter one and zeros. 8 bytes can be read there. */
export function headOf(at: usize, length: u32): u64 {
  return load<u64>(at) & (length < 8 ? ((<u64>1) << (length << 3)) - 1 : u64.MAX_VALUE);
}

/** The last 8 bytes, 0 where they are all in the head. */
export function tailOf(at: usize, length: u32): u64 {
  return length > 8 ? load<u64>(at + length - 8) : 0;
}

export function hashOfWords(length: u32, head: u64, tail: u64): u32 {
  let hash = (seed ^ (<u64>length * MIX_B) ^ head) * MIX_A;
  hash = (hash ^ (hash >> 29) ^ tail) * MIX_A;
  hash = (hash ^ (hash >> 32)) * MIX_B;
  return <u32>(hash >> 32);
}

/** Sixteen bytes with all bits, then sixteen zeros. In whole kernels alone. */
const ones: usize = IS_WHOLE ? memory.data(32, 16) : 0;

/** All of a key of at most SHORT_BYTES, and zeros. 16 bytes can be read there. */
export function wordsOf(at: usize, length: u32): v128 {
  return v128.and(v128.load(at), v128.load(ones + SHORT_BYTES - length));
}

/** Keys that differ in zeros at their ends alone have the same. */
function hashOfPair(head: u64, rest: u64): u32 {
  let hash = (seed ^ head) * MIX_A;
  hash = (hash ^ (hash >> 29) ^ rest) * MIX_A;
  hash = (hash ^ (hash >> 32)) * MIX_B;
  return <u32>(hash >> 32);
}

export function hashOfShort(words: v128): u32 {
  return hashOfPair(i64x2.extract_lane(words, 0), i64x2.extract_lane(words, 1));
}

export function hashOf(at: usize, length: u32): u32 {
  if (IS_WHOLE) {
    if (length <= SHORT_BYTES) return hashOfShort(wordsOf(at, length));
  }
  let head = headOf(at, length);
  for (let done: u32 = 8; done + 8 < length; done += 8) {
    head = (head ^ load<u64>(at + done)) * MIX_A;
    head ^= head >> 29;
  }
  return hashOfWords(length, head, tailOf(at, length));
}

export function sameBytes(a: usize, b: usize, length: u32): bool {
  for (let done: u32 = 0; done + 8 < length; done += 8) {
    if (load<u64>(a + done) != load<u64>(b + done)) return false;
  }
  return tailOf(a, length) == tailOf(b, length);
}
