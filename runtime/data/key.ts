// Keys as bytes whose order is the order of SQL (PROTOCOL.md section 4), and ranges of them; the commonest are written in key-writer.ts. Knows no store.

import { ByteReader, ByteWriter, decodeUtf8 } from '../base/bytes.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { NULL, PRESENT, writeEscaped, writeWindow } from './key-writer.ts';
import { type Type, type Value, typeText } from './type.ts';
import { fromTwosComplement, readValue, twosComplement, writeValue } from './value-bytes.ts';

// What goes with it comes with it.
export * from './key-order.ts';

const SIGN = 0x80;
/** A DECIMAL's first byte is this plus its length in bytes, or minus it when negative. */
const DECIMAL_ZERO = 0x80;

const scratch = new ByteWriter(64);
const nested = new ByteWriter(64);

/** The key bytes of one value per key column. */
export function encodeKey(
  types: readonly Type[],
  values: readonly Value[],
): Uint8Array<ArrayBuffer> {
  scratch.truncate(0);
  types.forEach((type, index) => writeKeyValue(scratch, type, values[index] ?? null));
  return scratch.finish();
}

export { writeKey, writeWindow } from './key-writer.ts';

/** Appends the key bytes of one value. */
export function writeKeyValue(to: ByteWriter, type: Type, value: Value): void {
  if (value === null) {
    to.u8(NULL);
    return;
  }
  to.u8(PRESENT);
  switch (type.kind) {
    case 'BOOLEAN':
      to.u8(value === true ? 1 : 0);
      return;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      to.u32BE(numberOf(type, value) ^ -0x8000_0000);
      return;
    case 'BIGINT':
      if (typeof value !== 'bigint') throw mismatch(type, value);
      to.i64BE(value ^ -0x8000_0000_0000_0000n);
      return;
    case 'DOUBLE':
    case 'TIMESTAMP': {
      const at = to.position;
      // Every NaN is one key.
      const number = numberOf(type, value);
      to.f64BE(Number.isNaN(number) ? NaN : number);
      flipDouble(to.buffer, at, ((to.buffer[at] ?? 0) & SIGN) !== 0);
      return;
    }
    case 'DECIMAL': {
      if (typeof value !== 'bigint') throw mismatch(type, value);
      const bytes = twosComplement(value);
      to.u8(value < 0n ? DECIMAL_ZERO - bytes.length : DECIMAL_ZERO + bytes.length);
      to.bytes(bytes);
      return;
    }
    case 'STRING':
      if (typeof value !== 'string') throw mismatch(type, value);
      nested.truncate(0);
      nested.utf8(value);
      writeEscaped(to, nested.buffer, 0, nested.position);
      return;
    case 'BYTES':
      if (!(value instanceof Uint8Array)) throw mismatch(type, value);
      writeEscaped(to, value, 0, value.length);
      return;
    default:
      nested.truncate(0);
      writeValue(nested, type, value);
      writeEscaped(to, nested.buffer, 0, nested.position);
  }
}

function mismatch(type: Type, value: Value): InvariantError {
  return new InvariantError(`a ${typeof value} is no ${typeText(type)} key`);
}

function numberOf(type: Type, value: Value): number {
  if (typeof value !== 'number') throw mismatch(type, value);
  return value;
}

/** Positive numbers get their sign bit set, negative ones all bits flipped; the same undoes it, told what it was. */
function flipDouble(bytes: Uint8Array, at: number, negative: boolean): void {
  if (negative) for (let i = at; i < at + 8; i++) bytes[i] = ~(bytes[i] ?? 0) & 0xff;
  else bytes[at] = (bytes[at] ?? 0) ^ SIGN;
}

/** A key decoded. */
export interface DecodedKey {
  readonly values: Value[];
  readonly windowStart: bigint | null;
  readonly windowEnd: bigint | null;
}

/**
 * Decodes key bytes; what follows the key columns is windowStart, with a session's windowEnd before it.
 * @throws {PortError} CORRUPT when the bytes are not a key of these types
 */
export function decodeKey(types: readonly Type[], bytes: Uint8Array): DecodedKey {
  const from = new ByteReader(bytes);
  const values = types.map((type) => readKeyValue(from, type));
  const windowEnd = from.remaining > 8 ? readSigned(from) : null;
  const windowStart = from.remaining === 0 ? null : readSigned(from);
  from.finish();
  return { values, windowStart, windowEnd };
}

function readSigned(from: ByteReader): bigint {
  return BigInt.asIntN(64, from.i64BE() ^ -0x8000_0000_0000_0000n);
}

function readKeyValue(from: ByteReader, type: Type): Value {
  const flag = from.u8();
  if (flag === NULL) return null;
  if (flag !== PRESENT) throw new PortError('CORRUPT', `a key column begins with ${flag}`);
  switch (type.kind) {
    case 'BOOLEAN':
      return from.u8() === 1;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return from.u32BE() ^ -0x8000_0000;
    case 'BIGINT':
      return readSigned(from);
    case 'DOUBLE':
    case 'TIMESTAMP': {
      const bytes = from.view(8).slice();
      flipDouble(bytes, 0, ((bytes[0] ?? 0) & SIGN) === 0);
      return new ByteReader(bytes).f64BE();
    }
    case 'DECIMAL':
      return fromTwosComplement(from.view(Math.abs(from.u8() - DECIMAL_ZERO)));
    case 'STRING':
      return decodeUtf8(readEscaped(from));
    case 'BYTES':
      return readEscaped(from);
    default: {
      const reader = new ByteReader(readEscaped(from));
      const value = readValue(reader, type);
      reader.finish();
      return value;
    }
  }
}

/** Of the one column that is read at a time. */
const UNESCAPED = new ByteWriter();

function readEscaped(from: ByteReader): Uint8Array<ArrayBuffer> {
  UNESCAPED.truncate(0);
  for (;;) {
    const byte = from.u8();
    if (byte === 0) {
      const next = from.u8();
      if (next === 0) return UNESCAPED.finish();
      if (next !== 0xff) throw new PortError('CORRUPT', `00 is followed by ${next} in a key`);
    }
    UNESCAPED.u8(byte);
  }
}

/** The first bytes after all that begin with `prefix`; null when there are none (all FF). */
function afterPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> | null {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return null;
  const after = prefix.slice(0, end);
  after[end - 1] = (after[end - 1] ?? 0) + 1;
  return after;
}

/** Keys from `from` (inclusive) to `to` (exclusive) in byte order; a null end is open. What the store port scans. */
export interface ByteRange {
  readonly from: Uint8Array | null;
  readonly to: Uint8Array | null;
}

/** All keys that begin with these bytes: every window of a key, say. */
export function prefixRange(prefix: Uint8Array): ByteRange {
  return { from: prefix, to: afterPrefix(prefix) };
}

/** One end of a range; null: open. */
export interface Bound {
  readonly value: Value;
  readonly inclusive: boolean;
}

/**
 * The keys whose first column lies between two bounds, every window of them. Null keys are in no range, as SQL compares.
 */
export function valueRange(type: Type, lower: Bound | null, upper: Bound | null): ByteRange {
  const from = lower === null ? Uint8Array.of(PRESENT) : encodeKey([type], [lower.value]);
  const to = upper === null ? Uint8Array.of(PRESENT + 1) : encodeKey([type], [upper.value]);
  return {
    from: lower === null || lower.inclusive ? from : afterPrefix(from),
    to: upper !== null && upper.inclusive ? afterPrefix(to) : to,
  };
}

/** The windows of one key whose windowStart, or windowEnd of sessions, lies in `fromMs .. toMs`, both inclusive; a null end is open. */
export function windowRange(
  key: Uint8Array,
  fromMs: number | null,
  toMs: number | null,
): ByteRange {
  const whole = prefixRange(key);
  return {
    from: fromMs === null ? whole.from : windowKey(key, fromMs),
    to: toMs === null ? whole.to : windowKey(key, toMs + 1),
  };
}

/** Key bytes followed by their window. */
export function windowKey(
  key: Uint8Array,
  windowStartMs: number,
  windowEndMs: number | null = null,
): Uint8Array<ArrayBuffer> {
  scratch.truncate(0);
  scratch.bytes(key);
  writeWindow(scratch, windowStartMs, windowEndMs);
  return scratch.finish();
}
