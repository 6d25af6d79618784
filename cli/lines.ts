// Cuts a stream of bytes into lines, never holding more than one piece of the stream and one line; knows no JSON.

import { concatBytes } from '../runtime/base/byte-arrays.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** What editors of Windows write before the first line. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** One line without its end. */
export interface Line {
  /** 1-based. */
  readonly number: number;
  /** null: the line is longer than is allowed; its bytes are gone. */
  readonly bytes: Uint8Array | null;
}

/**
 * The lines that each piece of the stream completes, as one array a piece; the last may lack its end.
 * @param lineBytesMax lines beyond it come without their bytes
 */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<readonly Line[]> {
  const cutter = new LineCutter(lineBytesMax);
  for await (const piece of pieces) {
    const lines = cutter.cut(piece);
    if (lines.length > 0) yield lines;
  }
  const last = cutter.end();
  if (last !== null) yield [last];
}

class LineCutter {
  readonly #lineBytesMax: number;
  #number = 1;
  /** What there is of the line that has not ended. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  cut(piece: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (;;) {
      const to = piece.indexOf(NEWLINE, from);
      if (to < 0) break;
      this.#add(piece.subarray(from, to));
      lines.push(this.#finish());
      from = to + 1;
    }
    this.#add(piece.subarray(from));
    return lines;
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > this.#lineBytesMax) this.#begun = [];
    else this.#begun.push(bytes);
  }

  #finish(): Line {
    const isTooLong = this.#begunBytes > this.#lineBytesMax;
    const line = {
      number: this.#number,
      bytes: isTooLong ? null : textOf(joined(this.#begun), this.#number),
    };
    this.#number += 1;
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }

  end(): Line | null {
    return this.#begunBytes === 0 ? null : this.#finish();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, more] = parts;
  return only !== undefined && more === undefined ? only : concatBytes(parts);
}

function textOf(bytes: Uint8Array, number: number): Uint8Array {
  const isMarked = number === 1 && BYTE_ORDER_MARK.every((byte, at) => bytes[at] === byte);
  const text = isMarked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
  return text.at(-1) === RETURN ? text.subarray(0, -1) : text;
}
