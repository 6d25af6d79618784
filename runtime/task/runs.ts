// Which records of which input come next, where there are several inputs or a bound: the runs rule; knows no fetch and no operator.

import { type Batch, Op, positionOf } from '../data/batch.ts';
import { type Chunk, type Input, type Run, takeTo, wholes } from './inputs.ts';

export { Pairing } from './pair.ts';

/** As `TaskInputs.take`. */
export function nextRun(
  inputs: readonly Input[],
  chunkOf: (input: Input) => Chunk | null,
  recordsMax: number,
): Run | null {
  let chosen = -1;
  let chosenTime = Infinity;
  let bound = Infinity;
  for (let index = 0; index < inputs.length; index++) {
    const input = inputs[index] as Input;
    const chunk = chunkOf(input);
    if (chunk === null) {
      // Its next record may come before all others.
      if (input.fetched < input.highWatermark) return null;
      continue;
    }
    const time = headTime(chunk);
    if (time < chosenTime) {
      bound = chosenTime;
      chosen = index;
      chosenTime = time;
    } else if (time < bound) {
      bound = time;
    }
  }
  const input = inputs[chosen];
  if (input === undefined || input.chunk === null) return null;
  // Inputs after the chosen one give way at equal times, those before it do not.
  return takeUpTo(input, input.chunk, { index: chosen, bound, recordsMax });
}

/** Rowtime of the chunk's next row; -Infinity when only skipped records are left: they go first. */
function headTime({ batches, rows }: Chunk): number {
  if (batches.length === 1) {
    const batch = batches[0] as Batch | null;
    const row = rows[0] as number;
    if (batch === null || row >= batch.length) return -Infinity;
    return batch.rowtime[positionOf(batch, row)] as number;
  }
  const { time } = nextRow(batches, rows);
  return time === Infinity ? -Infinity : time;
}

/** The record of the next row, and its rowtime as the first reader has it that made a row of it; Infinity behind the last one. */
function nextRow(
  batches: Chunk['batches'],
  rows: readonly number[],
): { readonly record: number; readonly time: number } {
  let record = Infinity;
  let time = Infinity;
  batches.forEach((batch, reader) => {
    const own = recordOf(batch, rows[reader] as number);
    if (batch === null || own >= record) return;
    record = own;
    time = batch.rowtime[positionOf(batch, rows[reader] as number)] as number;
  });
  return { record, time };
}

/** The record of row `i`; Infinity behind the last one. */
function recordOf(batch: Batch | null, i: number): number {
  if (batch === null || i >= batch.length) return Infinity;
  const position = positionOf(batch, i);
  return batch.origin?.[position] ?? position;
}

/** The first row that does not go with row `first`: what follows for one reader, which is the rule. */
function rowUpTo(batch: Batch, first: number, bound: number, indexEnd: number): number {
  const { selection, origin, rowtime, op, length } = batch;
  let isOpen = false;
  let row = first;
  for (; row < length; row++) {
    const position = selection === null ? row : (selection[row] as number);
    const record = origin === null ? position : (origin[position] as number);
    const isOver = record >= indexEnd || (row > first && (rowtime[position] as number) >= bound);
    if (isOver && !isOpen) break;
    isOpen = op !== null && op[position] === Op.UpdateBefore;
  }
  return row;
}

/** An old row and its new one stay together, whatever the bounds. */
function takeUpTo(
  input: Input,
  chunk: Chunk,
  limits: { readonly index: number; readonly bound: number; readonly recordsMax: number },
): Run {
  const { index, bound, recordsMax } = limits;
  const { batches } = chunk;
  const indexEnd = Math.min(chunk.to, chunk.at + recordsMax);
  if (bound === Infinity && indexEnd === chunk.to)
    return takeTo(input, chunk, index, chunk.to, wholes(chunk));
  const [only = null] = batches;
  if (batches.length === 1 && only !== null) {
    const row = rowUpTo(only, chunk.rows[0] as number, bound, indexEnd);
    return takeTo(input, chunk, index, Math.min(indexEnd, recordOf(only, row)), [row]);
  }
  const rows = [...chunk.rows];
  let to = indexEnd;
  let isOpen = false;
  for (let isFirst = true; ; isFirst = false) {
    const { record, time } = nextRow(batches, rows);
    const isOver = record >= indexEnd || (!isFirst && time >= bound);
    if (record === Infinity || (isOver && !isOpen)) {
      return takeTo(input, chunk, index, Math.min(Math.max(to, indexEnd), record), rows);
    }
    isOpen = false;
    batches.forEach((batch, reader) => {
      const row = rows[reader] as number;
      if (batch === null || recordOf(batch, row) !== record) return;
      rows[reader] = row + 1;
      if (batch.op?.[positionOf(batch, row)] === Op.UpdateBefore) isOpen = true;
    });
    to = record + 1;
  }
}
