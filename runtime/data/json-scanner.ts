// Walks over the bytes of one JSON text and checks its whole grammar; makes no object and knows no column.

import { ByteWriter, decodeUtf8 } from '../base/bytes.ts';
import { JSON_DEPTH_MAX } from '../base/limits.ts';
import { RARER_VALUES } from './parts.ts';

export const QUOTE = 0x22;
const COMMA = 0x2c;
export const COLON = 0x3a;
export const MINUS = 0x2d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const BACKSLASH = 0x5c;
export const ZERO = 0x30;
export const NINE = 0x39;
const POINT = 0x2e;

/** Digits that a double holds exactly whatever they are. */
const EXACT_DIGITS = 15;

/** 1 for the bytes that stand for themselves in a string: ASCII less control characters, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** Powers of ten by exponent. */
const TENS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * A cursor over one JSON text. `position` is an index of `bytes`; what a scan found stands in `start`, `stop` and the fields
 * beside them until the next scan. Every fault is a RecordError with the position in the text.
 */
export class JsonScanner {
  bytes = NO_BYTES;
  position = 0;
  /** Where the text begins and ends. */
  first = 0;
  end = 0;
  #depth = 0;

  /** The token last scanned: the number's text, or the string's contents without quotes. */
  start = 0;
  stop = 0;
  /** The string last scanned has escapes: `text` and `unescaped` decode them. */
  escaped = false;
  /** The number last scanned has neither fraction nor exponent. */
  integer = false;
  /** The number last scanned stands in `number`, correctly rounded: it has at most 15 digits and no exponent. */
  exact = false;
  number = 0;

  readonly #unescaped = new ByteWriter(256);

  /** Begins a text. */
  open(bytes: Uint8Array, from: number, to: number): void {
    this.bytes = bytes;
    this.position = from;
    this.first = from;
    this.end = to;
    this.#depth = 0;
  }

  /** @throws {RecordError} DESERIALIZATION, with what was wrong and where */
  fail(message: string, at: number = this.position): never {
    throw RARER_VALUES.code.jsonFault(this, message, at);
  }

  /** Skips white space and gives the byte that stands there, which stays; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    const end = this.end;
    let at = this.position;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte > 0x20) {
        this.position = at;
        return byte;
      }
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    }
    this.position = at;
    return at < end ? (bytes[at] as number) : -1;
  }

  /** Skips white space; nothing may follow. The text is held no more. */
  close(): void {
    if (this.peek() !== -1) this.fail('more than one JSON value');
    this.bytes = NO_BYTES;
  }

  /** Steps over `byte`, which must come next. */
  expect(byte: number): void {
    // Most JSON has no white space here.
    if (this.bytes[this.position] !== byte || this.position >= this.end) {
      if (this.peek() !== byte) this.unexpected();
    }
    this.position++;
  }

  unexpected(): never {
    throw RARER_VALUES.code.unexpected(this);
  }

  /** Enters an object or array, whose first byte is stepped over. */
  enter(): void {
    this.position++;
    if (++this.#depth > JSON_DEPTH_MAX) this.fail(`JSON nested deeper than ${JSON_DEPTH_MAX}`);
  }

  /** Leaves an object or array, whose last byte is stepped over. */
  leave(): void {
    this.position++;
    this.#depth--;
  }

  /** Within an array or object: true when `close` ended it, false when another item follows the comma. */
  ended(close: number): boolean {
    const byte = this.peek();
    if (byte === COMMA) {
      this.position++;
      return false;
    }
    if (byte !== close) this.unexpected();
    this.leave();
    return true;
  }

  /** Scans a string from its opening quote, which must stand at `position`, to behind its closing one. */
  string(): void {
    const { bytes } = this;
    const end = this.end;
    let at = this.position;
    if (at >= end || bytes[at] !== QUOTE) this.unexpected();
    this.start = ++at;
    this.escaped = false;
    for (;;) {
      while (at < end && PLAIN[bytes[at] as number] === 1) at++;
      if (at >= end) break;
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.stop = at;
        this.position = at + 1;
        return;
      }
      at = RARER_VALUES.code.behindByte(this, at);
    }
    this.position = end;
    this.unexpected();
  }

  /** Steps over `expected` when it is what stands at `position`. */
  matches(expected: Uint8Array): boolean {
    const { bytes, position } = this;
    const { length } = expected;
    if (position + length > this.end) return false;
    for (let i = 0; i < length; i++) if (bytes[position + i] !== expected[i]) return false;
    this.position = position + length;
    return true;
  }

  /** Scans a number; its sign or first digit must stand at `position`. */
  scanNumber(): void {
    const { bytes } = this;
    const end = this.end;
    const start = this.position;
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const digitsFrom = at;
    let value = 0;
    let byte = at < end ? (bytes[at] as number) : 0;
    while (byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      byte = ++at < end ? (bytes[at] as number) : 0;
    }
    let digits = at - digitsFrom;
    if (digits === 0 || (digits > 1 && bytes[digitsFrom] === ZERO)) {
      this.position = digits === 0 ? at : digitsFrom;
      this.unexpected();
    }
    let scale = 0;
    this.integer = true;
    if (byte === POINT) {
      this.integer = false;
      const pointAt = at;
      byte = ++at < end ? (bytes[at] as number) : 0;
      while (byte >= ZERO && byte <= NINE) {
        value = value * 10 + (byte - ZERO);
        byte = ++at < end ? (bytes[at] as number) : 0;
      }
      scale = at - pointAt - 1;
      if (scale === 0) {
        this.position = at;
        this.unexpected();
      }
      digits += scale;
    }
    let hasExponent = false;
    if ((byte | 0x20) === 0x65) {
      hasExponent = true;
      this.integer = false;
      const sign = at + 1 < end ? (bytes[at + 1] as number) : 0;
      at = RARER_VALUES.code.behindDigits(this, sign === MINUS || sign === 0x2b ? at + 2 : at + 1);
    }
    // Up to 15 digits and a power of ten up to 15 are exact in a double, so that one division rounds correctly.
    this.exact = digits <= EXACT_DIGITS && !hasExponent;
    const magnitude = scale === 0 ? value : value / (this.exact ? (TENS[scale] as number) : 1);
    this.number = negative ? -magnitude : magnitude;
    this.start = start;
    this.stop = at;
    this.position = at;
  }

  /** Scans `true`, `false` or `null`, told by its first byte; gives true, false or null. */
  word(): boolean | null {
    return RARER_VALUES.code.word(this);
  }

  /** Checks the value that comes next and steps over it. */
  skip(): void {
    const byte = this.peek();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) RARER_VALUES.code.skipItems(this, byte);
    else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) this.scanNumber();
    else this.word();
  }

  /** The text of the string last scanned. */
  text(): string {
    if (!this.escaped) return decodeUtf8(this.bytes, this.start, this.stop);
    const unescaped = this.unescaped();
    return decodeUtf8(unescaped.buffer, 0, unescaped.position);
  }

  /** The text of the number last scanned, as it was written. */
  numberText(): string {
    return decodeUtf8(this.bytes, this.start, this.stop);
  }

  /** UTF-8 of the string last scanned, which has escapes; valid until the next call. A lone surrogate becomes U+FFFD. */
  unescaped(): ByteWriter {
    const to = this.#unescaped;
    to.truncate(0);
    RARER_VALUES.code.unescape(this, to);
    return to;
  }
}
