// One value as bytes by its type (PROTOCOL.md section 4), for state, nested columns and keys; knows no batch.

import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { InvariantError, PortError } from '../base/errors.ts';
import { isItems } from './value.ts';
import { type Type, type Value, typeText } from './type.ts';

function mismatch(type: Type, value: Value): InvariantError {
  return new InvariantError(`a ${value === null ? 'null' : typeof value} is no ${typeText(type)}`);
}

/** Appends the bytes of a value that is not null. */
export function writeValue(to: ByteWriter, type: Type, value: Value): void {
  switch (type.kind) {
    case 'BOOLEAN':
      if (typeof value !== 'boolean') throw mismatch(type, value);
      to.u8(value ? 1 : 0);
      return;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      if (typeof value !== 'number') throw mismatch(type, value);
      to.i32(value);
      return;
    case 'BIGINT':
      if (typeof value !== 'bigint') throw mismatch(type, value);
      to.i64(value);
      return;
    case 'DOUBLE':
    case 'TIMESTAMP':
      if (typeof value !== 'number') throw mismatch(type, value);
      to.f64(value);
      return;
    case 'DECIMAL':
      if (typeof value !== 'bigint') throw mismatch(type, value);
      writeSized(to, twosComplement(value));
      return;
    case 'STRING': {
      if (typeof value !== 'string') throw mismatch(type, value);
      const at = to.position;
      to.u32(0);
      to.utf8(value);
      to.patchU32(at, to.position - at - 4);
      return;
    }
    case 'BYTES':
      if (!(value instanceof Uint8Array)) throw mismatch(type, value);
      writeSized(to, value);
      return;
    case 'ARRAY':
      if (!isItems(value)) throw mismatch(type, value);
      to.u32(value.length);
      for (const item of value) writeItem(to, type.item, item);
      return;
    case 'MAP':
      if (!(value instanceof Map)) throw mismatch(type, value);
      to.u32(value.size);
      for (const [key, item] of value as ReadonlyMap<Value, Value>) {
        writeItem(to, type.key, key);
        writeItem(to, type.value, item);
      }
      return;
    case 'STRUCT':
      if (!isItems(value)) throw mismatch(type, value);
      type.fields.forEach((field, index) => writeItem(to, field.type, value[index] ?? null));
      return;
  }
}

function writeItem(to: ByteWriter, type: Type, value: Value): void {
  to.u8(value === null ? 0 : 1);
  if (value !== null) writeValue(to, type, value);
}

function writeSized(to: ByteWriter, bytes: Uint8Array): void {
  to.u32(bytes.length);
  to.bytes(bytes);
}

/** Reads the bytes of a value. @throws {PortError} CORRUPT when they are not a value of the type */
export function readValue(from: ByteReader, type: Type): Value {
  switch (type.kind) {
    case 'BOOLEAN':
      return readFlag(from);
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
      return from.i32();
    case 'BIGINT':
      return from.i64();
    case 'DOUBLE':
    case 'TIMESTAMP':
      return from.f64();
    case 'DECIMAL':
      return fromTwosComplement(from.view(from.u32()));
    case 'STRING':
      return from.utf8(from.u32());
    case 'BYTES':
      return from.view(from.u32()).slice();
    case 'ARRAY': {
      const items: Value[] = [];
      for (let left = readCount(from); left > 0; left--) items.push(readItem(from, type.item));
      return items;
    }
    case 'MAP': {
      const entries = new Map<Value, Value>();
      for (let left = readCount(from); left > 0; left--) {
        const key = readItem(from, type.key);
        entries.set(key, readItem(from, type.value));
      }
      return entries;
    }
    case 'STRUCT':
      return type.fields.map((field) => readItem(from, field.type));
  }
}

function readItem(from: ByteReader, type: Type): Value {
  return readFlag(from) ? readValue(from, type) : null;
}

function readFlag(from: ByteReader): boolean {
  const flag = from.u8();
  if (flag > 1) throw new PortError('CORRUPT', `${flag} stands where 0 or 1 is due`);
  return flag === 1;
}

/** A count of items, each of at least one byte: a damaged count ends here, not after a billion items. */
function readCount(from: ByteReader): number {
  const count = from.u32();
  if (count > from.remaining) {
    throw new PortError('CORRUPT', `${count} items do not fit in ${from.remaining} bytes`);
  }
  return count;
}

/** The shortest two's complement of a whole number, big endian; one byte for 0. */
export function twosComplement(value: bigint): Uint8Array<ArrayBuffer> {
  const magnitude = value < 0n ? ~value : value;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const bytes = new Uint8Array((bits >> 3) + 1);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The whole number of a two's complement, big endian. @throws {PortError} CORRUPT when there are no bytes */
export function fromTwosComplement(bytes: Uint8Array): bigint {
  if (bytes.length === 0) throw new PortError('CORRUPT', 'a DECIMAL has at least one byte');
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}
