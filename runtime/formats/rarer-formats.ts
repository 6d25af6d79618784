// What few columns need of the formats KAFKA and JSON: numbers and bytes, refusals; and the formats that few topics have. Knows no topic.

import { ByteReader, type ByteWriter, isUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { type Column, valueAt } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Type, typeText } from '../data/type.ts';

export { COLUMNAR_FORMAT } from './columnar.ts';
export { NONE_FORMAT } from './none.ts';

/** Bytes of the types of fixed size. */
const SIZES: ReadonlyMap<Type['kind'], number> = new Map([
  ['INTEGER', 4],
  ['BIGINT', 8],
  ['DOUBLE', 8],
]);

function isHeld(type: Type): boolean {
  return SIZES.has(type.kind) || type.kind === 'STRING' || type.kind === 'BYTES';
}

/** Why KAFKA does not hold the columns; null when it does. */
export function kafkaRefuses(columns: readonly SchemaColumn[]): string | null {
  if (columns.length > 1) {
    const names = columns.map((column) => column.name).join(', ');
    return `KAFKA holds one column, and here are ${columns.length}: ${names}`;
  }
  const [column] = columns;
  if (column === undefined || isHeld(column.type)) return null;
  return `KAFKA holds no ${typeText(column.type)}`;
}

/** Appends what Kafka's serializers wrote. @throws {RecordError} DESERIALIZATION */
export function appendKafka(column: SchemaColumn, bytes: Uint8Array, to: ColumnBuilder): void {
  const { type, name } = column;
  const size = SIZES.get(type.kind);
  if (size !== undefined && bytes.length !== size) {
    const text = `${bytes.length} bytes where ${typeText(type)} has ${size}`;
    throw new RecordError('DESERIALIZATION', text, name);
  }
  const reader = new ByteReader(bytes);
  switch (type.kind) {
    case 'INTEGER':
      to.appendNumber(reader.u32BE() | 0);
      return;
    case 'BIGINT':
      to.appendBigint(reader.i64BE());
      return;
    case 'DOUBLE':
      to.appendNumber(reader.f64BE());
      return;
    case 'STRING':
      if (!isUtf8(bytes)) throw new RecordError('DESERIALIZATION', 'text that is not UTF-8', name);
      to.appendUtf8(bytes, 0, bytes.length);
      return;
    default:
      to.append(bytes.slice());
  }
}

/** Writes a value that is in no dictionary, as Kafka's serializers do. @throws {RecordError} SERIALIZATION */
export function encodeKafka(column: Column, position: number, to: ByteWriter): void {
  switch (column.storage) {
    case 'i32':
      to.u32BE(column.values[position] as number);
      return;
    case 'i64':
      to.i64BE(column.values[position] as bigint);
      return;
    case 'f64':
      to.f64BE(column.values[position] as number);
      return;
    default: {
      const value = valueAt(column, position);
      if (typeof value === 'string') to.utf8(value);
      else if (value instanceof Uint8Array) to.bytes(value);
      else throw new RecordError('SERIALIZATION', `KAFKA holds no ${typeText(column.type)}`);
    }
  }
}

/** Why JSON does not hold the columns; null when it does. */
export function jsonRefuses(columns: readonly SchemaColumn[]): string | null {
  return columns.some(({ type }) => hasOtherMapKeys(type))
    ? 'JSON holds no MAP whose keys are not STRING'
    : null;
}

/** Whether a value of the type holds a MAP that is no JSON object. */
function hasOtherMapKeys(type: Type): boolean {
  switch (type.kind) {
    case 'ARRAY':
      return hasOtherMapKeys(type.item);
    case 'MAP':
      return type.key.kind !== 'STRING' || hasOtherMapKeys(type.value);
    case 'STRUCT':
      return type.fields.some((field) => hasOtherMapKeys(field.type));
    default:
      return false;
  }
}
