// Which partitions of a table answer a pull query, and where to look in each; knows no store.

import { existing } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { compareBytes } from '../base/byte-arrays.ts';
import { partitionOf } from '../base/hash.ts';
import type { KeySpan } from '../analyze/analysis.ts';
import { columnOf } from '../data/column-of.ts';
import type { ByteRange } from '../data/key.ts';
import type { Value } from '../data/type.ts';
import type { Formats } from '../formats/serde.ts';
import type { PullPlan } from '../plan/pull.ts';

/**
 * The spans to look in by partition, ascending and apart from each other: a key is in one partition, a range and a processor's key may be in any.
 * @param partitions of the table's state
 */
export function partitionsAsked(
  pull: PullPlan,
  partitions: number,
  formats: Formats,
): ReadonlyMap<number, readonly KeySpan[]> {
  const asked = new Map<number, KeySpan[]>();
  const ask = (partition: number, span: KeySpan): void => {
    const known = asked.get(partition);
    if (known === undefined) asked.set(partition, [span]);
    else known.push(span);
  };
  // Where there is one, no key's bytes are needed to know it.
  const partitionOfKey = partitions === 1 ? () => 0 : router(pull, partitions, formats);
  for (const span of pull.spans) {
    if (span.key !== null && pull.table.everywhere !== true) ask(partitionOfKey(span.key), span);
    else for (let partition = 0; partition < partitions; partition++) ask(partition, span);
  }
  return new Map([...asked].sort(([a], [b]) => a - b).map(([at, spans]) => [at, merged(spans)]));
}

/** The partition of a key, by the bytes that its format makes of it. */
function router(
  { table, placedBy: columns }: PullPlan,
  partitions: number,
  formats: Formats,
): (key: readonly Value[]) => number {
  const { keyFormat } = table;
  const encoder = existing(formats.get(keyFormat.format), 'format').encoder(columns, keyFormat);
  const bytes = new ByteWriter();
  return (key) => {
    const cells = columns.map(({ type }, index) => columnOf(type, [key[index] ?? null]));
    bytes.truncate(0);
    return encoder.encode(cells, 0, bytes)
      ? partitionOf(bytes.buffer, partitions, 0, bytes.position)
      : 0;
  };
}

const START = new Uint8Array();

/** The same keys in the order of their bytes, each once. */
function merged(spans: readonly KeySpan[]): readonly KeySpan[] {
  const sorted = [...spans].sort((a, b) =>
    compareBytes(a.range.from ?? START, b.range.from ?? START),
  );
  const apart: KeySpan[] = [];
  for (const span of sorted) {
    const last = apart.at(-1);
    if (last === undefined || !overlap(last.range, span.range)) apart.push(span);
    else if (!endsWithin(span.range, last.range)) {
      // What overlaps a single key without lying in it are windows of the same key, or a range.
      const key = last.key === null || span.key === null ? null : last.key;
      apart[apart.length - 1] = { key, range: { from: last.range.from, to: span.range.to } };
    }
  }
  return apart;
}

/** True when the second, which does not begin earlier, begins before the first has ended. */
function overlap(first: ByteRange, second: ByteRange): boolean {
  return first.to === null || compareBytes(second.from ?? START, first.to) < 0;
}

function endsWithin(inner: ByteRange, outer: ByteRange): boolean {
  return outer.to === null || (inner.to !== null && compareBytes(inner.to, outer.to) <= 0);
}
