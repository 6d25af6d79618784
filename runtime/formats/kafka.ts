// The KAFKA format: one column as Kafka's own serializers write it, big endian; all but texts is in rarer-formats.ts. Knows no topic.

import { isUtf8 } from '../base/bytes.ts';
import { isNull } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { RARER_FORMATS } from './parts.ts';
import type { Decoder, Encoder, Format } from './serde.ts';

export const KAFKA_FORMAT: Format = {
  name: 'KAFKA',
  refuse: (columns) =>
    columns.length === 1 && columns[0]?.type.kind === 'STRING'
      ? null
      : RARER_FORMATS.code.kafkaRefuses(columns),
  decoder: (columns, wanted) => kafkaDecoder(columns[0], wanted.length > 0),
  encoder: kafkaEncoder,
};

function kafkaDecoder(column: SchemaColumn | undefined, isWanted: boolean): Decoder {
  return {
    isIdle: !isWanted,
    decode(bytes, from, to, [builder]) {
      if (column === undefined || builder === undefined || !isWanted) return true;
      const own = bytes.subarray(from, to);
      if (column.type.kind === 'STRING' && isUtf8(own)) builder.appendUtf8(own, 0, own.length);
      else RARER_FORMATS.code.appendKafka(column, own, builder);
      return true;
    },
  };
}

function kafkaEncoder(): Encoder {
  return {
    encode([column], position, to) {
      if (column === undefined || isNull(column, position)) return false;
      if (column.storage === 'dictionary') {
        const { bytes, offsets } = column.dictionary;
        const code = column.values[position] as number;
        to.bytes(bytes, offsets[code], offsets[code + 1]);
      } else RARER_FORMATS.code.encodeKafka(column, position, to);
      return true;
    },
  };
}
