// The KAFKA format: one column as Kafka's own serializers write it, big endian; knows no topic.

import { ByteReader, isUtf8 } from '../base/bytes.ts';
import { RecordError } from '../base/errors.ts';
import type { ColumnBuilder } from '../data/builder.ts';
import { type Column, isNull, valueAt } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { type Type, typeText } from '../data/type.ts';
import type { Decoder, Encoder, Format } from './serde.ts';

/** Bytes of the types of fixed size. */
const SIZES: ReadonlyMap<Type['kind'], number> = new Map([
  ['INTEGER', 4],
  ['BIGINT', 8],
  ['DOUBLE', 8],
]);

export const KAFKA_FORMAT: Format = {
  name: 'KAFKA',
  refuse(columns) {
    if (columns.length > 1) {
      const names = columns.map((column) => column.name).join(', ');
      return `KAFKA holds one column, and here are ${columns.length}: ${names}`;
    }
    const [column] = columns;
    if (column === undefined || isHeld(column.type)) return null;
    return `KAFKA holds no ${typeText(column.type)}`;
  },
  decoder: (columns, wanted) => kafkaDecoder(columns[0], wanted.length > 0),
  encoder: kafkaEncoder,
};

function isHeld(type: Type): boolean {
  return SIZES.has(type.kind) || type.kind === 'STRING' || type.kind === 'BYTES';
}

function kafkaDecoder(column: SchemaColumn | undefined, isWanted: boolean): Decoder {
  return {
    isIdle: !isWanted,
    decode(bytes, from, to, [builder]) {
      if (column === undefined || builder === undefined || !isWanted) return true;
      appendKafka(column, bytes.subarray(from, to), builder);
      return true;
    },
  };
}

function appendKafka(column: SchemaColumn, bytes: Uint8Array, to: ColumnBuilder): void {
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

function kafkaEncoder(): Encoder {
  return {
    encode([column], position, to) {
      if (column === undefined || isNull(column, position)) return false;
      switch (column.storage) {
        case 'i32':
          to.u32BE(column.values[position] as number);
          return true;
        case 'i64':
          to.i64BE(column.values[position] as bigint);
          return true;
        case 'f64':
          to.f64BE(column.values[position] as number);
          return true;
        case 'dictionary': {
          const { bytes, offsets } = column.dictionary;
          const code = column.values[position] as number;
          to.bytes(bytes, offsets[code], offsets[code + 1]);
          return true;
        }
        default:
          return encodeObject(column, position, to);
      }
    },
  };
}

function encodeObject(
  column: Column,
  position: number,
  to: Parameters<Encoder['encode']>[2],
): boolean {
  const value = valueAt(column, position);
  if (typeof value === 'string') to.utf8(value);
  else if (value instanceof Uint8Array) to.bytes(value);
  else {
    const text = `KAFKA holds no ${typeText(column.type)}`;
    throw new RecordError('SERIALIZATION', text);
  }
  return true;
}
