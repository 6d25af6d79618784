// By what an instance of the decoder is told to decode DELIMITED or KAFKA instead of JSON: which fields, between what.

import { STATUS_BAD_ARGUMENT, STATUS_BAD_CONFIG, STATUS_NOT_READY, STATUS_OK } from './abi';
import { JSON_TYPE_STRUCT } from './json-abi';
import { COLUMN_BYTES, COLUMN_PLACE, columnCount, columns, region } from './json-buffers';
import { decodeLine, setLine } from './delimited-record';
import { decodeBy } from './json-record';
import { decodeKafka } from './kafka-record';

/** Between fields stands what is ASCII, and neither a quote nor the end of a line. */
function isDelimiter(byte: u32): bool {
  return byte != 0 && byte < 0x80 && byte != 0x22 && byte != 0x0a && byte != 0x0d;
}

/** From now on records are lines of so many fields, the first of which are the columns; `jsonInit` has been called. */
export function delimitedInit(fields: u32, delimiter: u32): i32 {
  if (region == 0) return STATUS_NOT_READY;
  if (!isDelimiter(delimiter) || fields < columnCount) return STATUS_BAD_CONFIG;
  for (let i: u32 = 0; i < columnCount; i++) {
    const column = columns + i * COLUMN_BYTES;
    if (load<u32>(column) == JSON_TYPE_STRUCT) return STATUS_BAD_CONFIG;
    store<u32>(column, i, COLUMN_PLACE);
  }
  setLine(fields, delimiter);
  decodeBy(decodeLine);
  return STATUS_OK;
}

/** Says which field of a line a column is; columns ascend by it, so that the last is to be told first. */
export function delimitedField(index: u32, place: u32): i32 {
  if (region == 0) return STATUS_NOT_READY;
  if (index >= columnCount) return STATUS_BAD_ARGUMENT;
  const column = columns + index * COLUMN_BYTES;
  const isBefore =
    index + 1 == columnCount || place < load<u32>(column + COLUMN_BYTES, COLUMN_PLACE);
  const isBehind = index == 0 || place > load<u32>(column - COLUMN_BYTES, COLUMN_PLACE);
  if (!isBefore || !isBehind) return STATUS_BAD_ARGUMENT;
  store<u32>(column, place, COLUMN_PLACE);
  return STATUS_OK;
}

/** From now on a record is the one value that Kafka's serializers wrote. */
export function kafkaInit(): i32 {
  if (region == 0) return STATUS_NOT_READY;
  if (columnCount > 1 || (columnCount == 1 && load<u32>(columns) == JSON_TYPE_STRUCT))
    return STATUS_BAD_CONFIG;
  decodeBy(decodeKafka);
  return STATUS_OK;
}
