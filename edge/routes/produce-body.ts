// The records of a produce request as record batches: keys, values, headers and partitions, digits untouched; sends nothing.

import { decodeBase64 } from '../../runtime/base/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../../runtime/base/bytes.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { partitionOf } from '../../runtime/base/hash.ts';
import { RECORD_BATCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import { QUOTE } from '../../runtime/data/json-scanner.ts';
import { NO_HEADERS, type RecordHeader } from '../../runtime/data/record.ts';
import {
  giveBack,
  type RecordBatchBuilder,
  takeBuilder,
} from '../../runtime/data/record-builder.ts';
import { unknownPartition } from '../names.ts';
import { isObject } from './body.ts';
import { refusal } from './errors.ts';
import type { Member, ProducedJson } from './produce-json.ts';

/** The latest time that a JavaScript date can hold. */
const TIMESTAMP_MS_MAX = 8.64e15;
/** So many digits are a safe integer, whichever they are. */
const SAFE_DIGITS_MAX = 15;

/** The records of one partition as one record batch. */
export interface ProducedBatch {
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** Positions in the request of its records. */
  readonly rows: readonly number[];
}

/** What the request goes to. */
export interface ProduceTarget {
  readonly topic: string;
  readonly partitions: number;
  readonly nowMs: number;
  /** The partition of this request's records without a key. */
  readonly keyless: number;
}

/** One batch per partition, in the order of their first records. @throws what the client did wrong */
export function producedBatches(body: ProducedJson, to: ProduceTarget): ProducedBatch[] {
  const partitions = new Map<number, { builder: RecordBatchBuilder; rows: number[] }>();
  for (let row = 0; row < body.count; row++) {
    const key = keyOf(body, row);
    const partition = choosePartition(body, row, key, to);
    let batch = partitions.get(partition);
    if (batch === undefined) {
      partitions.set(partition, (batch = { builder: takeBuilder(), rows: [] }));
    }
    if (!append(batch.builder, body, row, key, to.nowMs)) {
      throw new PortError(
        'RECORD_TOO_LARGE',
        `the records for partition ${partition} are more than one batch of ${RECORD_BATCH_BYTES_MAX} bytes holds; send fewer`,
        { bytesMax: RECORD_BATCH_BYTES_MAX },
      );
    }
    batch.rows.push(row);
  }
  return [...partitions].map(([partition, { builder, rows }]) => {
    const bytes = builder.finish() ?? new Uint8Array(0);
    giveBack(builder);
    return { partition, bytes, rows };
  });
}

/** Appends one record, its value straight from the body. @returns false: the batch has no room for it */
function append(
  builder: RecordBatchBuilder,
  body: ProducedJson,
  row: number,
  key: Uint8Array | null,
  nowMs: number,
): boolean {
  const encoded = base64Of(body, row, 'valueBase64', 'value');
  const hasValue = encoded !== null || !body.isNull(row, 'value');
  const timestamp = timestampOf(body, row, nowMs);
  const headers = headersOf(body, row);
  if (key !== null) builder.keys.bytes(key);
  if (encoded !== null) builder.values.bytes(encoded);
  else if (hasValue)
    builder.values.bytes(body.bytes, body.from(row, 'value'), body.to(row, 'value'));
  return builder.end({ hasKey: key !== null, hasValue }, timestamp, headers);
}

/** A string is its UTF-8, anything else its text as it was written. */
function keyOf(body: ProducedJson, row: number): Uint8Array | null {
  const encoded = base64Of(body, row, 'keyBase64', 'key');
  if (encoded !== null || body.isNull(row, 'key')) return encoded;
  const [from, to] = [body.from(row, 'key'), body.to(row, 'key')];
  if (body.bytes[from] !== QUOTE) return body.bytes.subarray(from, to);
  if (!body.hasEscapedKey(row)) return body.bytes.subarray(from + 1, to - 1);
  return encodeUtf8(String(parsed(body, row, 'key')));
}

function choosePartition(
  body: ProducedJson,
  row: number,
  key: Uint8Array | null,
  to: ProduceTarget,
): number {
  if (body.isNull(row, 'partition')) {
    return key === null ? to.keyless : partitionOf(key, to.partitions);
  }
  const partition = parsed(body, row, 'partition');
  if (typeof partition !== 'number' || !Number.isSafeInteger(partition))
    throw refusal('BAD_REQUEST', `records[${row}].partition is not an integer`);
  if (partition >= to.partitions) throw unknownPartition({ topic: to.topic, partition });
  if (partition < 0) throw refusal('BAD_REQUEST', `records[${row}].partition is ${partition}`);
  return partition;
}

/** A member's value; it is there. */
function parsed(body: ProducedJson, row: number, member: Member): unknown {
  return JSON.parse(decodeUtf8(body.bytes, body.from(row, member), body.to(row, member)));
}

function base64Of(
  body: ProducedJson,
  row: number,
  member: Member,
  beside: Member,
): Uint8Array | null {
  if (body.isNull(row, member)) return null;
  const at = `records[${row}]`;
  if (body.from(row, beside) !== 0) {
    throw refusal('BAD_REQUEST', `${at} has both ${beside} and ${member}`);
  }
  return base64Bytes(parsed(body, row, member), `${at}.${member}`);
}

function base64Bytes(given: unknown, at: string): Uint8Array {
  const bytes = typeof given === 'string' ? decodeBase64(given) : null;
  if (bytes === null) throw refusal('BAD_REQUEST', `${at} is not base64`);
  return bytes;
}

function timestampOf(body: ProducedJson, row: number, nowMs: number): number {
  if (body.isNull(row, 'timestamp')) return nowMs;
  const value = digitsOf(body, row) ?? parsed(body, row, 'timestamp');
  if (value === -1) return nowMs;
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= TIMESTAMP_MS_MAX) {
    return Number(value);
  }
  throw new PortError(
    'INVALID_TIMESTAMP',
    `records[${row}].timestamp is no integer of milliseconds within 0 .. ${TIMESTAMP_MS_MAX}`,
  );
}

/** A timestamp that is nothing but digits, as nearly all are, without a text in between; null: it is something else. */
function digitsOf(body: ProducedJson, row: number): number | null {
  const [from, to] = [body.from(row, 'timestamp'), body.to(row, 'timestamp')];
  if (to - from > SAFE_DIGITS_MAX) return null;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = (body.bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

function headersOf(body: ProducedJson, row: number): readonly RecordHeader[] {
  if (body.isNull(row, 'headers')) return NO_HEADERS;
  const given = parsed(body, row, 'headers');
  const at = `records[${row}].headers`;
  if (!Array.isArray(given)) throw refusal('BAD_REQUEST', `${at} is not an array`);
  return given.map((header: unknown, i) => {
    const here = `${at}[${i}]`;
    if (!isObject(header) || typeof header['name'] !== 'string') {
      throw refusal('BAD_REQUEST', `${here} has no name`);
    }
    const { name, value = null, valueBase64 = null } = header;
    if (value !== null && typeof value !== 'string') {
      throw refusal('BAD_REQUEST', `${here}.value is neither text nor null`);
    }
    if (valueBase64 === null) return { name, value: value === null ? null : encodeUtf8(value) };
    if (header['value'] !== undefined)
      throw refusal('BAD_REQUEST', `${here} has both value and valueBase64`);
    return { name, value: base64Bytes(valueBase64, `${here}.valueBase64`) };
  });
}
