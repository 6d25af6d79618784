// Growable bytes, a bounds-checked reader, UTF-8 and comparison of bytes; knows no format.

import { PortError } from './errors.ts';

/** Encoded text never stands in shared memory; not every host's types say so. */
interface Utf8Encoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, into: Uint8Array): { readonly written: number };
}

const encoder = /* @__PURE__ */ new TextEncoder() as Utf8Encoder;
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const fatalDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Up to this many bytes, making a string of its units beats a call of TextDecoder. */
const SHORT_TEXT_BYTES_MAX = 24;
/** The units of a short text, by how many they are: to add them one by one would make a string of each beginning. */
const UNITS: number[][] = [];
/** Up to this length, writing a text char by char beats a call of TextEncoder. */
const LOOPED_TEXT_LENGTH_MAX = 128;

/** The high word of NaN; the low one is 0. */
export const NAN_HIGH = 0x7ff8_0000;

/** Writes a double, little endian, a NaN always as 7FF8000000000000. */
export function setFloat64(view: DataView, at: number, value: number): void {
  if (value === value) {
    view.setFloat64(at, value, true);
    return;
  }
  view.setUint32(at, 0, true);
  view.setUint32(at + 4, NAN_HIGH, true);
}

/** What writers have before they are written to: a task opens with hundreds, most of which never are. No caller gets it: it could be sent away. */
const NONE = /* @__PURE__ */ new Uint8Array(0);
const NO_VIEW = /* @__PURE__ */ new DataView(NONE.buffer);

/** Bytes that grow as they are written. Little endian unless the method ends in `BE`. */
export class ByteWriter {
  #bytes = NONE;
  #view = NO_VIEW;
  #length = 0;
  readonly #firstBytes: number;

  /** @param firstBytes room that is made by the first write, at least */
  constructor(firstBytes = 256) {
    this.#firstBytes = firstBytes;
  }

  /** Bytes written so far: where the next one goes. */
  get position(): number {
    return this.#length;
  }

  /** The bytes behind the writer, valid until the next write; only the first `position` of them count. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Makes room for `more` bytes beyond the position. Cost: doubles, so amortized nothing. */
  reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2, this.#firstBytes));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Room for so many bytes, and where it is; the view of it is asked for behind this. */
  #room(count: number): number {
    this.reserve(count);
    const at = this.#length;
    this.#length = at + count;
    return at;
  }

  u8(value: number): void {
    if (this.#length === this.#bytes.length) this.reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
  }

  i64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value, true);
  }

  /** Every NaN as the same bits: which ones arithmetic makes is the processor's and the compiler's whim. */
  f64(value: number): void {
    const at = this.#room(8);
    setFloat64(this.#view, at, value);
  }

  u32BE(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, false);
  }

  i64BE(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value, false);
  }

  f64BE(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value, false);
  }

  /** Copies `from .. to` of `source`. @throws {TypeError} for what is no bytes, which callers without types give */
  bytes(source: Uint8Array, from = 0, to: number = source.length): void {
    if (!ArrayBuffer.isView(source)) throw new TypeError(`${typeof source} is no bytes`);
    const length = to - from;
    const at = this.#room(length);
    if (length < 32) {
      const bytes = this.#bytes;
      for (let i = 0; i < length; i++) bytes[at + i] = source[from + i] ?? 0;
    } else {
      this.#bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
    }
  }

  /** Text as UTF-8; a lone surrogate becomes U+FFFD. */
  utf8(text: string): void {
    const length = text.length;
    this.reserve(length);
    const bytes = this.#bytes;
    let at = this.#length;
    let i = 0;
    if (length <= LOOPED_TEXT_LENGTH_MAX) {
      for (let unit; i < length && (unit = text.charCodeAt(i)) < 0x80; i++) bytes[at++] = unit;
    }
    if (i < length) this.bytes(encoder.encode(text));
    else this.#length = at;
  }

  /** Zero bytes up to the next multiple of 8 counted from position `base`. */
  pad8(base = 0): void {
    this.zeros((base - this.#length) & 7);
  }

  zeros(count: number): void {
    const at = this.#room(count);
    this.#bytes.fill(0, at, this.#length);
  }

  /** Overwrites the u32 at `at`, which has been written. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** Forgets all beyond `position`. */
  truncate(position: number): void {
    this.#length = position;
  }

  /** A copy of the bytes written; the writer goes on being usable. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** A view of the bytes written, valid until the next write. */
  written(from = 0): Uint8Array<ArrayBuffer> {
    return this.#length === 0 ? new Uint8Array(0) : this.#bytes.subarray(from, this.#length);
  }
}

/** What was written, in a buffer of just that size: a view would be stored and cloned with all that is behind it. */
export function exactly(to: ByteWriter): Uint8Array<ArrayBuffer> {
  return to.position > 0 && to.buffer.length === to.position ? to.buffer : to.finish();
}

/** Of the one number that is read at a time: a view of each reader's bytes would take longer to make than most of them are read. */
const NEXT = new DataView(new ArrayBuffer(8));

/** Reads bytes that may be damaged: every read is checked. @throws {PortError} CORRUPT beyond the end */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Where the next read begins, an index of `bytes`. */
  position: number;

  constructor(bytes: Uint8Array, from = 0, to: number = bytes.length) {
    this.bytes = bytes;
    this.position = from;
    this.end = Math.min(to, bytes.length);
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `count` bytes and returns where they began. */
  take(count: number): number {
    const at = this.position;
    if (count < 0 || at + count > this.end) {
      throw new PortError('CORRUPT', `${count} bytes wanted at ${at} of ${this.end}`);
    }
    this.position = at + count;
    return at;
  }

  u8(): number {
    return this.bytes[this.take(1)] as number;
  }

  /** The next bytes, at most 8, where they can be read as a number. */
  #next(count: number): DataView {
    const at = this.take(count);
    for (let i = 0; i < count; i++) NEXT.setUint8(i, this.bytes[at + i] as number);
    return NEXT;
  }

  u16(): number {
    return this.#next(2).getUint16(0, true);
  }

  u32(): number {
    return this.#next(4).getUint32(0, true);
  }

  i32(): number {
    return this.#next(4).getInt32(0, true);
  }

  i64(): bigint {
    return this.#next(8).getBigInt64(0, true);
  }

  f64(): number {
    return this.#next(8).getFloat64(0, true);
  }

  u32BE(): number {
    return this.#next(4).getUint32(0, false);
  }

  i64BE(): bigint {
    return this.#next(8).getBigInt64(0, false);
  }

  f64BE(): number {
    return this.#next(8).getFloat64(0, false);
  }

  /** A view, not a copy. */
  view(count: number): Uint8Array {
    const at = this.take(count);
    return this.bytes.subarray(at, at + count);
  }

  utf8(count: number): string {
    const at = this.take(count);
    return decodeUtf8(this.bytes, at, at + count);
  }

  /** @throws {PortError} CORRUPT when bytes are left over */
  finish(): void {
    if (this.position !== this.end) {
      throw new PortError('CORRUPT', `${this.end - this.position} bytes too many`);
    }
  }
}

/** Text as UTF-8, in bytes of their own; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const length = text.length;
  if (length > SHORT_TEXT_BYTES_MAX) return encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encoder.encode(text);
    bytes[i] = unit;
  }
  return bytes;
}

/** UTF-8 as text; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, from = 0, to: number = bytes.length): string {
  if (to - from <= SHORT_TEXT_BYTES_MAX) {
    const units = (UNITS[to - from] ??= []);
    let all = 0;
    for (let i = from; i < to; i++) all |= units[i - from] = bytes[i] ?? 0;
    if (all < 0x80) return String.fromCharCode(...units);
  }
  return decoder.decode(bytes.subarray(from, to));
}

/** True when `from .. to` is well-formed UTF-8. */
export function isUtf8(bytes: Uint8Array, from = 0, to: number = bytes.length): boolean {
  let i = from;
  while (i < to && (bytes[i] ?? 0) < 0x80) i++;
  if (i === to) return true;
  try {
    fatalDecoder.decode(bytes.subarray(i, to));
    return true;
  } catch (thrown) {
    if (thrown instanceof TypeError) return false;
    throw thrown;
  }
}
