// Hashes of bytes: Kafka's murmur2 for partitions, and a cheap one for tables in memory; knows no keys.

/** Kafka's seed (0x9747b28c) and multiplier. */
const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;

/** 32-bit murmur2 as Kafka's producer computes it: a signed integer. Source: apache/kafka Utils.murmur2. */
export function murmur2(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  const length = to - from;
  let h = SEED ^ length;
  let i = from;
  for (const end = to - 3; i < end; i += 4) {
    let k =
      (bytes[i] ?? 0) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const left = to - i;
  if (left === 3) h ^= (bytes[i + 2] ?? 0) << 16;
  if (left >= 2) h ^= (bytes[i + 1] ?? 0) << 8;
  if (left >= 1) {
    h ^= bytes[i] ?? 0;
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  h ^= h >>> 15;
  return h;
}

/** The partition of a key among `partitions`, as Kafka's default partitioner chooses it. */
export function partitionOf(
  key: Uint8Array,
  partitions: number,
  from = 0,
  to: number = key.length,
): number {
  return (murmur2(key, from, to) & 0x7fffffff) % partitions;
}

/** A hash for tables in memory: fast on short keys, not stable between versions, never stored. 0 .. 2^30 - 1, a small integer everywhere. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let h = Math.imul(to - from, 0x9e3779b1) | 0;
  let i = from;
  for (const end = to - 3; i < end; i += 4) {
    const k =
      (bytes[i] ?? 0) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24);
    h = Math.imul((h ^ k) | 0, 0x85ebca6b);
    h ^= h >>> 15;
  }
  for (; i < to; i++) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0xc2b2ae35);
  return (h ^ (h >>> 13)) & 0x3fffffff;
}
