// The MD5 digest of bytes, synchronous: a checksum, no protection against anybody; knows no function of the language.

/** How far each of four steps turns its sum, by round of 16. Source: RFC 1321, section 3.4. */
const TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

/** |sin(i + 1)| × 2^32, the steps' constants. */
const SINES = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000),
);

const BLOCK_BYTES = 64;
/** Where the length of the message stands in the last block, in bits, as two words. */
const LENGTH_WORD = 14;

// Used again and again: to make them takes longer than what is done with them.
const block = new Uint8Array(BLOCK_BYTES);
/** The same as words, the lower byte first. */
const words = new Int32Array(block.buffer);
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const state = new Int32Array(START.length);
const digest = new Uint8Array(state.buffer);

/** The digest, 16 bytes, good until the next call. */
export function md5(message: Uint8Array): Uint8Array {
  const { length } = message;
  for (let i = 0; i < START.length; i++) state[i] = START[i] as number;
  let at = 0;
  for (; at + BLOCK_BYTES <= length; at += BLOCK_BYTES) {
    block.set(message.subarray(at, at + BLOCK_BYTES));
    mix();
  }
  block.fill(0);
  block.set(at === 0 ? message : message.subarray(at));
  block[length - at] = 0x80;
  // The length has no room beside the marker.
  if (length - at >= LENGTH_WORD * 4) {
    mix();
    block.fill(0);
  }
  words[LENGTH_WORD] = length * 8;
  words[LENGTH_WORD + 1] = length / 0x2000_0000;
  mix();
  return digest;
}

/** Folds the block into the state. */
function mix(): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let sum: number;
    let word: number;
    if (round === 0) {
      sum = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      sum = (d & b) | (~d & c);
      word = 5 * i + 1;
    } else if (round === 2) {
      sum = b ^ c ^ d;
      word = 3 * i + 5;
    } else {
      sum = c ^ (b | ~d);
      word = 7 * i;
    }
    sum = (sum + a + (SINES[i] as number) + (words[word & 15] as number)) | 0;
    const turn = TURNS[round * 4 + (i & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
}
