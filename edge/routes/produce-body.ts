// The records of a produce request: JSON to keys, values, headers and partitions, digits untouched; sends nothing.

import { decodeBase64 } from '../../runtime/base/base64.ts';
import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { PortError } from '../../runtime/base/errors.ts';
import { partitionOf } from '../../runtime/base/hash.ts';
import { RECORD_BATCH_BYTES_MAX } from '../../runtime/base/limits.ts';
import type { RecordHeader } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import { unknownPartition } from '../names.ts';
import { isObject } from './body.ts';
import { refusal } from './errors.ts';
import { itemSpans, memberSpans, type Span } from './json-spans.ts';

/** The latest time that a JavaScript date can hold. */
const TIMESTAMP_MS_MAX = 8.64e15;

/** The records of one partition as one record batch. */
export interface ProducedBatch {
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** Positions in the request of its records. */
  readonly rows: readonly number[];
}

interface ProducedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partition: number | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
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
export function producedBatches(text: string, body: unknown, to: ProduceTarget): ProducedBatch[] {
  const records = isObject(body) ? body['records'] : undefined;
  if (!Array.isArray(records) || records.length === 0) {
    throw refusal('BAD_REQUEST', 'send {"records": [...]} with at least one record');
  }
  const spans = itemSpans(text, memberSpans(text, 0).get('records')?.from ?? 0);
  const partitions = new Map<number, { builder: RecordBatchBuilder; rows: number[] }>();
  records.forEach((given: unknown, row) => {
    const record = recordOf(text, spans[row], given, `records[${row}]`, to.nowMs);
    const partition = choosePartition(record, to, `records[${row}]`);
    let batch = partitions.get(partition);
    if (batch === undefined) {
      partitions.set(partition, (batch = { builder: new RecordBatchBuilder(), rows: [] }));
    }
    if (!batch.builder.append(record.key, record.value, record.timestamp, record.headers)) {
      throw new PortError(
        'RECORD_TOO_LARGE',
        `the records for partition ${partition} are more than one batch of ${RECORD_BATCH_BYTES_MAX} bytes holds; send fewer`,
        { bytesMax: RECORD_BATCH_BYTES_MAX },
      );
    }
    batch.rows.push(row);
  });
  return [...partitions].map(([partition, { builder, rows }]) => {
    return { partition, bytes: builder.finish() ?? new Uint8Array(0), rows };
  });
}

function choosePartition(record: ProducedRecord, to: ProduceTarget, at: string): number {
  const { partition, key } = record;
  if (partition === null) return key === null ? to.keyless : partitionOf(key, to.partitions);
  if (partition >= to.partitions) throw unknownPartition({ topic: to.topic, partition });
  if (partition < 0) throw refusal('BAD_REQUEST', `${at}.partition is ${partition}`);
  return partition;
}

function recordOf(
  text: string,
  span: Span | undefined,
  given: unknown,
  at: string,
  nowMs: number,
): ProducedRecord {
  if (!isObject(given) || span === undefined)
    throw refusal('BAD_REQUEST', `${at} is not an object`);
  const members = memberSpans(text, span.from);
  for (const name of members.keys()) {
    if (!MEMBERS.has(name))
      throw refusal('BAD_REQUEST', `${at} has an unknown member '${name.slice(0, 50)}'`);
  }
  const written = (name: string): Uint8Array | null => {
    const found = members.get(name);
    if (found === undefined || given[name] === null) return null;
    return encodeUtf8(text.slice(found.from, found.to));
  };
  const key = given['key'];
  return {
    key:
      base64Of(given, 'keyBase64', 'key', at) ??
      (typeof key === 'string' ? encodeUtf8(key) : written('key')),
    value: base64Of(given, 'valueBase64', 'value', at) ?? written('value'),
    partition: optionalInteger(given, 'partition', at),
    timestamp: timestampOf(given, at, nowMs),
    headers: headersOf(given['headers'], at),
  };
}

const MEMBERS: ReadonlySet<string> = new Set([
  'key',
  'keyBase64',
  'value',
  'valueBase64',
  'partition',
  'timestamp',
  'headers',
]);

type JsonObject = Readonly<Record<string, unknown>>;

function base64Of(given: JsonObject, name: string, beside: string, at: string): Uint8Array | null {
  const text = given[name];
  if (text === undefined || text === null) return null;
  if (given[beside] !== undefined) {
    throw refusal('BAD_REQUEST', `${at} has both ${beside} and ${name}`);
  }
  const bytes = typeof text === 'string' ? decodeBase64(text) : null;
  if (bytes === null) throw refusal('BAD_REQUEST', `${at}.${name} is not base64`);
  return bytes;
}

function optionalInteger(given: JsonObject, name: string, at: string): number | null {
  const value = given[name];
  if (value === undefined || value === null) return null;
  if (Number.isSafeInteger(value)) return Number(value);
  throw refusal('BAD_REQUEST', `${at}.${name} is not an integer`);
}

function timestampOf(given: JsonObject, at: string, nowMs: number): number {
  const value = given['timestamp'];
  if (value === undefined || value === null || value === -1) return nowMs;
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= TIMESTAMP_MS_MAX) {
    return Number(value);
  }
  throw new PortError(
    'INVALID_TIMESTAMP',
    `${at}.timestamp is no integer of milliseconds within 0 .. ${TIMESTAMP_MS_MAX}`,
  );
}

function headersOf(given: unknown, at: string): RecordHeader[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw refusal('BAD_REQUEST', `${at}.headers is not an array`);
  return given.map((header: unknown, i) => {
    const here = `${at}.headers[${i}]`;
    if (!isObject(header) || typeof header['name'] !== 'string') {
      throw refusal('BAD_REQUEST', `${here} has no name`);
    }
    const name = header['name'];
    const value = header['value'] ?? null;
    if (value !== null && typeof value !== 'string') {
      throw refusal('BAD_REQUEST', `${here}.value is neither text nor null`);
    }
    const bytes = base64Of(header, 'valueBase64', 'value', here);
    return { name, value: bytes ?? (value === null ? null : encodeUtf8(value)) };
  });
}
