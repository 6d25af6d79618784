// The MD5 digest of bytes, synchronous: a checksum, no protection against anybody; knows no function of the language.

/** How far each step turns its sum, per round of 16. Source: RFC 1321, section 3.4. */
const TURNS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** |sin(i + 1)| × 2^32, the steps' constants. */
const SINES = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000),
);

const BLOCK_BYTES = 64;
/** The marker behind the message and the eight bytes of its length. */
const TAIL_BYTES = 9;

/** The digest as 32 hexadecimal digits in lower case. */
export function md5Hex(message: Uint8Array): string {
  const blocks = Math.ceil((message.length + TAIL_BYTES) / BLOCK_BYTES);
  const padded = new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const words = new Int32Array(16);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + i * 4, true);
    mix(state, words);
  }
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => digest.setInt32(i * 4, word, true));
  return [0, 4, 8, 12].map((at) => digest.getUint32(at).toString(16).padStart(8, '0')).join('');
}

/** Folds one block of 16 words into the state. */
function mix(state: Int32Array, words: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let sum: number;
    let word: number;
    if (round === 0) {
      sum = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      sum = (d & b) | (~d & c);
      word = (5 * i + 1) & 15;
    } else if (round === 2) {
      sum = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      sum = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    sum = (sum + a + (SINES[i] ?? 0) + (words[word] ?? 0)) | 0;
    const turn = TURNS[round]?.[i & 3] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
}
