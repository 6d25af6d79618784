// Records of every shape, policies of topics, and batches of them, as random histories of logs draw them; knows no log.

import { encodeUtf8 } from '../../runtime/base/bytes.ts';
import { compareBytes } from '../../runtime/base/byte-arrays.ts';
import type { RecordBatch, RecordHeader } from '../../runtime/data/record.ts';
import { RecordBatchBuilder } from '../../runtime/data/record-builder.ts';
import type { TopicDescription, TopicSpec } from '../../runtime/ports/log.ts';
import type { Draw } from './draws.ts';
import { picked } from './wide-expressions.ts';

export interface GivenRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

const HOUR_MS = 3_600_000;

const KEYS = ['', 'a', 'b', 'c', 'd'].map(encodeUtf8);
const BINARY = [Uint8Array.of(0), Uint8Array.of(0, 255), Uint8Array.of(0xc3, 0x28)];
const VALUES = [...['', 'x', '{"a":1}'].map(encodeUtf8), ...BINARY];
const HEADERS: readonly RecordHeader[] = [
  { name: 'h', value: encodeUtf8('1') },
  { name: 'h', value: null },
  { name: 'h', value: encodeUtf8('') },
  { name: '', value: Uint8Array.of(0, 255) },
  { name: 'é', value: encodeUtf8('x'.repeat(50)) },
];

/** A topic as its users may want it. */
export function drawnPolicy(draw: Draw, name: string, partitions: number): TopicSpec {
  const compacted = draw(2) === 0;
  return {
    name,
    partitions,
    retentionMs: draw(3) === 0 ? HOUR_MS : null,
    retentionBytes: !compacted && draw(3) === 0 ? picked(draw, [1, 300, 100_000]) : null,
    compacted,
    deleteRetentionMs: picked(draw, [2 * HOUR_MS, 86_400_000]),
    timestampType: draw(4) === 0 ? 'LogAppendTime' : 'CreateTime',
    timestampAfterMaxMs: null,
    internal: false,
  };
}

/** A batch, its records, and what a topic of that policy says to it. */
export function drawnBatch(
  draw: Draw,
  { compacted }: Pick<TopicDescription, 'compacted'>,
  nowMs: number,
): {
  readonly bytes: Uint8Array;
  readonly records: readonly GivenRecord[];
  readonly refusal: 'INVALID_RECORD' | null;
} {
  const builder = new RecordBatchBuilder();
  const isKeyless = draw(compacted ? 15 : 4) === 0;
  const records = Array.from({ length: 1 + draw(draw(8) === 0 ? 40 : 4) }, () => {
    const record = drawnRecord(draw, nowMs, isKeyless && draw(2) === 0);
    const { key, value, timestamp, headers } = record;
    builder.append(key, value, timestamp, headers);
    return record;
  });
  const isRefused = compacted && records.some(({ key }) => key === null);
  return {
    bytes: builder.finish() ?? new Uint8Array(),
    records,
    refusal: isRefused ? 'INVALID_RECORD' : null,
  };
}

function drawnRecord(draw: Draw, nowMs: number, isKeyless: boolean): GivenRecord {
  const long = draw(60) === 0 ? new Uint8Array(20_000 + draw(60_000)).fill(draw(256)) : null;
  return {
    key: isKeyless ? null : draw(4) === 0 ? picked(draw, BINARY) : picked(draw, KEYS),
    value: draw(5) === 0 ? null : (long ?? picked(draw, VALUES)),
    timestamp: picked(draw, [
      nowMs,
      nowMs,
      nowMs - draw(3 * HOUR_MS),
      nowMs - (HOUR_MS >> 1),
      nowMs + 1000,
      draw(20) === 0 ? 2 ** 53 - 1 : 0,
    ]),
    headers: draw(3) === 0 ? Array.from({ length: draw(4) }, () => picked(draw, HEADERS)) : [],
  };
}

/** A record of a batch, by its index there, as a copy. */
export function readRecord(batch: RecordBatch, i: number): GivenRecord {
  return {
    key: batch.key(i)?.slice() ?? null,
    value: batch.value(i)?.slice() ?? null,
    timestamp: batch.timestamps[i] ?? -1,
    headers: batch.headers(i).map(({ name, value }) => ({ name, value: value?.slice() ?? null })),
  };
}

/** Quicker than a comparison that could show where they differ. */
export function isSameRecord(a: GivenRecord, b: GivenRecord): boolean {
  return (
    isSame(a.key, b.key) &&
    isSame(a.value, b.value) &&
    a.timestamp === b.timestamp &&
    a.headers.length === b.headers.length &&
    a.headers.every(({ name, value }, i) => {
      const other = b.headers[i];
      return other?.name === name && isSame(value, other.value);
    })
  );
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : compareBytes(a, b) === 0;
}
