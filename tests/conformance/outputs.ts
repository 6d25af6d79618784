// Compares what came into topics with what a case expects there: whole, or only key by key; knows no query.

import { decodeBase64 } from '../../runtime/base/base64.ts';
import { bytesEqual } from '../../runtime/base/byte-arrays.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import type { Case, CaseRecord } from './case.ts';
import { difference, readRecord, type ReadRecord, type TopicRecord } from './records.ts';

/** Topics as they are once all queries have run. */
export interface Written {
  /** The records of a topic, in the order in which they came. */
  records(topic: string): readonly TopicRecord[];
  /** The stream or table over the topic. */
  source(topic: string): Source;
  /** The topics that stay empty where a case names no output. */
  readonly silent: readonly string[];
}

/** `whole`: all records in their order; `keys`: those of each key in their order, records without a key in any. */
export type Order = 'whole' | 'keys';

interface How {
  /** false: decimals are doubles. */
  readonly exact: boolean;
  /** true: records without a rowtime of their own have that of the wall clock. */
  readonly isInserted: boolean;
}

/** What differs, as a sentence; null when all is as expected. Only topics that outputs name are looked at, each for itself, or those that stay empty. */
export function outputDifference(of: Case, written: Written, order: Order): string | null {
  const how = {
    exact: of.properties.get('use.exact.numeric.comparison') !== 'false',
    isInserted: of.inputs.length === 0,
  };
  const compare = order === 'whole' ? wholeDifference : keysDifference;
  const named = of.outputs.map((record) => record.topic);
  for (const topic of new Set(named.length === 0 ? written.silent : named)) {
    const expected = of.outputs.filter((record) => record.topic === topic);
    const inputs = of.inputs.filter((record) => record.topic === topic).length;
    const actual = written.records(topic).slice(inputs);
    const different = compare(expected, actual, written.source(topic), how);
    if (different !== null) return `${topic}${different}`;
  }
  return null;
}

type Compare = (
  expected: readonly CaseRecord[],
  actual: readonly TopicRecord[],
  source: Source,
  how: How,
) => string | null;

const wholeDifference: Compare = (expected, actual, source, how) => {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const wanted = expected[i];
    const got = actual[i];
    if (wanted === undefined || got === undefined) {
      return `: expected ${expected.length} records, got ${actual.length}`;
    }
    const different = recordDifference(wanted, got, source, how);
    if (different !== null) return `[${i}] ${different}`;
  }
  return null;
};

/** What is equal key by key leaves the same table: the last record of each key is one of those compared. */
const keysDifference: Compare = (expected, actual, source, how) => {
  if (expected.length !== actual.length) {
    return `: expected ${expected.length} records, got ${actual.length}`;
  }
  const left = actual.map((record) => ({ record, read: readRecord(record, source) }));
  for (const [i, wanted] of expected.entries()) {
    const at = left.findIndex(({ record, read }) =>
      wanted.key === null && wanted.window === null
        ? recordDifference(wanted, record, source, how) === null
        : keyDifference(wanted, read, how) === null,
    );
    const next = left[at];
    if (next === undefined) return `[${i}] has no counterpart`;
    const different = recordDifference(wanted, next.record, source, how);
    if (different !== null) return `[${i}] ${different}`;
    left.splice(at, 1);
  }
  return null;
};

function recordDifference(
  expected: CaseRecord,
  record: TopicRecord,
  source: Source,
  how: How,
): string | null {
  const actual = readRecord(record, source);
  const { timestampMs } = expected;
  const isAnyTime = timestampMs === null || (timestampMs === 0 && how.isInserted);
  if (!isAnyTime && timestampMs !== record.timestamp) {
    return `rowtime: expected ${timestampMs}, got ${record.timestamp}`;
  }
  const different = headersDifference(expected, record) ?? keyDifference(expected, actual, how);
  if (different !== null) return different;
  const value = difference(expected.value, actual.value, how.exact);
  return value === null ? null : `value: ${value}`;
}

function keyDifference(expected: CaseRecord, actual: ReadRecord, { exact }: How): string | null {
  const [wanted, got] = [bounds(expected.window), bounds(actual.window)];
  if (wanted !== got) return `window: expected ${wanted}, got ${got}`;
  const key = difference(expected.key, actual.key, exact);
  return key === null ? null : `key: ${key}`;
}

function bounds(window: CaseRecord['window']): string {
  return window === null ? 'none' : `${window.type} ${window.startMs}..${window.endMs}`;
}

function headersDifference(expected: CaseRecord, { headers }: TopicRecord): string | null {
  if (headers.length !== expected.headers.length) {
    return `headers: expected ${expected.headers.length}, got ${headers.length}`;
  }
  const index = expected.headers.findIndex((header, i) => {
    const value = header.value === null ? null : decodeBase64(header.value);
    const got = headers[i]?.value ?? null;
    const equal = value === null || got === null ? value === got : bytesEqual(value, got);
    return headers[i]?.name !== header.name || !equal;
  });
  return index < 0 ? null : `header ${index} differs`;
}
