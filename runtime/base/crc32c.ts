// CRC-32C (Castagnoli), sixteen bytes at a time; knows what it sums up by nothing but its bytes.

/** The polynomial 0x1EDC6F41, reflected. */
const POLYNOMIAL = 0x82f63b78;

/** Sixteen tables of 256: table t gives the sum of a byte followed by t zero bytes. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    tables[byte] = sum;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/**
 * CRC-32C of `from .. to`, unsigned.
 * @param before the sum of the bytes that come before these, so that a sum can be taken in parts
 */
export function crc32c(bytes: Uint8Array, from = 0, to: number = bytes.length, before = 0): number {
  const t = TABLES;
  let sum = ~before;
  let i = from;
  // Whole words are read where they begin at a multiple of 4 in the buffer.
  const aligned = Math.min(to, i + (-(bytes.byteOffset + i) & 3));
  for (; i < aligned; i++) sum = (sum >>> 8) ^ (t[(sum ^ (bytes[i] as number)) & 0xff] as number);
  const rounds = (to - i) >> 4;
  if (rounds > 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, rounds * 4);
    // Entries are always there: an index is a table's number and one byte. Only the first four wait for the round before.
    for (let w = 0; w < words.length; w += 4) {
      const first = sum ^ (words[w] as number);
      const second = words[w + 1] as number;
      const third = words[w + 2] as number;
      const fourth = words[w + 3] as number;
      sum =
        (t[2816 + (second & 0xff)] as number) ^
        (t[2560 + ((second >>> 8) & 0xff)] as number) ^
        (t[2304 + ((second >>> 16) & 0xff)] as number) ^
        (t[2048 + (second >>> 24)] as number) ^
        (t[1792 + (third & 0xff)] as number) ^
        (t[1536 + ((third >>> 8) & 0xff)] as number) ^
        (t[1280 + ((third >>> 16) & 0xff)] as number) ^
        (t[1024 + (third >>> 24)] as number) ^
        (t[768 + (fourth & 0xff)] as number) ^
        (t[512 + ((fourth >>> 8) & 0xff)] as number) ^
        (t[256 + ((fourth >>> 16) & 0xff)] as number) ^
        (t[fourth >>> 24] as number) ^
        (t[3840 + (first & 0xff)] as number) ^
        (t[3584 + ((first >>> 8) & 0xff)] as number) ^
        (t[3328 + ((first >>> 16) & 0xff)] as number) ^
        (t[3072 + (first >>> 24)] as number);
    }
    i += rounds * 16;
  }
  for (; i < to; i++) sum = (sum >>> 8) ^ (t[(sum ^ (bytes[i] as number)) & 0xff] as number);
  return ~sum >>> 0;
}
