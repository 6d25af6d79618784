// Makes one segment of small batches that are appended in one transaction; knows no storage.

import { isPlain, joined } from '../../runtime/data/joined.ts';
import { MERGE_BYTES_MIN } from '../../runtime/ports/rewrite.ts';

/** What one batch, or several that were made one, is stored with. */
export interface NewSegment {
  readonly base: number;
  readonly count: number;
  readonly maxTimestamp: number;
  readonly bytes: Uint8Array;
}

/**
 * The segments of batches that follow each other: as many as fit into MERGE_BYTES_MIN become one, as upkeep would make of them later; columnar
 * ones stay by themselves. A row costs more than a small batch, to write and to read.
 */
export function grouped(batches: readonly NewSegment[]): readonly NewSegment[] {
  if (batches.length < 2) return batches;
  const made: NewSegment[] = [];
  let run: NewSegment[] = [];
  let runBytes = 0;
  const end = (): void => {
    if (run.length > 0) made.push(oneOf(run));
    run = [];
    runBytes = 0;
  };
  for (const batch of batches) {
    const { bytes } = batch;
    const isAlone = !isPlain(bytes);
    if (isAlone || runBytes + bytes.length > MERGE_BYTES_MIN) end();
    run.push(batch);
    runBytes += bytes.length;
    if (isAlone) end();
  }
  end();
  return made;
}

function oneOf(run: readonly NewSegment[]): NewSegment {
  const [first] = run;
  if (first === undefined || run.length === 1) return first as NewSegment;
  let count = 0;
  let maxTimestamp = first.maxTimestamp;
  for (const batch of run) {
    count += batch.count;
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp);
  }
  return { base: first.base, count, maxTimestamp, bytes: joined(run.map(({ bytes }) => bytes)) };
}
