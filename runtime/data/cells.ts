// The state value of an aggregate or a row (PROTOCOL.md section 4): cells of fixed size and a tail; knows no function.

import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PortError } from '../base/errors.ts';
import type { Type, Value } from './type.ts';
import { readValue, writeValue } from './value-bytes.ts';

/** A state value decoded. */
export interface Cells {
  /** The maximum of the rowtimes of the rows that made it, in ms since the Unix epoch. */
  readonly rowtime: number;
  /** One value per type. */
  readonly values: Value[];
}

const writer = new ByteWriter(512);
const tailWriter = new ByteWriter();

/** Encodes one value per type; null cells are 0. */
export function encodeCells(
  types: readonly Type[],
  rowtime: number,
  values: readonly Value[],
): Uint8Array<ArrayBuffer> {
  const to = writer;
  const count = types.length;
  const words = (count + 63) >> 6;
  const cellsAt = 8 + words * 8;
  const tailAt = cellsAt + count * 8;
  to.truncate(0);
  to.f64(rowtime);
  to.zeros(words * 8);
  const tail = tailWriter;
  tail.truncate(0);
  for (let i = 0; i < count; i++) {
    const type = types[i];
    const value = values[i] ?? null;
    if (type === undefined || value === null) {
      to.zeros(8);
      continue;
    }
    to.buffer[8 + (i >> 3)] = (to.buffer[8 + (i >> 3)] ?? 0) | (1 << (i & 7));
    writeCell(to, tail, type, value);
  }
  assert(to.position === tailAt, 'cells have 8 bytes each');
  to.bytes(tail.buffer, 0, tail.position);
  return to.finish();
}

/** Appends the cell of a value that is not null, and to `tail`, which begins with the state value's, what it does not hold. */
export function writeCell(to: ByteWriter, tail: ByteWriter, type: Type, value: Value): void {
  switch (type.kind) {
    case 'BIGINT':
      to.i64(asBigint(value));
      break;
    case 'INTEGER':
    case 'DATE':
    case 'TIME':
      writeInteger(to, asNumber(value));
      break;
    case 'BOOLEAN':
      writeInteger(to, value === true ? 1 : 0);
      break;
    case 'DOUBLE':
    case 'TIMESTAMP':
      to.f64(asNumber(value));
      break;
    default: {
      const from = tail.position;
      writeValue(tail, type, value);
      to.u32(from);
      to.u32(tail.position - from);
    }
  }
}

/** Decodes what `encodeCells` wrote for the same types. @throws {PortError} CORRUPT when the bytes are not that */
export function decodeCells(types: readonly Type[], bytes: Uint8Array): Cells {
  const count = types.length;
  const words = (count + 63) >> 6;
  const tailAt = 8 + words * 8 + count * 8;
  const from = new ByteReader(bytes);
  const rowtime = from.f64();
  const presentAt = from.take(words * 8);
  const values: Value[] = [];
  for (let i = 0; i < count; i++) {
    const type = types[i];
    if (type === undefined || ((bytes[presentAt + (i >> 3)] ?? 0) & (1 << (i & 7))) === 0) {
      from.take(8);
      values.push(null);
      continue;
    }
    switch (type.kind) {
      case 'BIGINT':
        values.push(from.i64());
        break;
      case 'INTEGER':
      case 'DATE':
      case 'TIME':
        values.push(Number(from.i64()));
        break;
      case 'BOOLEAN':
        values.push(from.i64() !== 0n);
        break;
      case 'DOUBLE':
      case 'TIMESTAMP':
        values.push(from.f64());
        break;
      default: {
        const start = tailAt + from.u32();
        const end = start + from.u32();
        if (end > bytes.length)
          throw new PortError('CORRUPT', 'a cell ends beyond its state value');
        const cell = new ByteReader(bytes, start, end);
        values.push(readValue(cell, type));
        cell.finish();
      }
    }
  }
  return { rowtime, values };
}

function writeInteger(to: ByteWriter, value: number): void {
  to.i32(value);
  to.i32(value < 0 ? -1 : 0);
}

function asNumber(value: Value): number {
  assert(typeof value === 'number', 'a cell wants a number');
  return value;
}

function asBigint(value: Value): bigint {
  assert(typeof value === 'bigint', 'a cell wants a bigint');
  return value;
}
