// The columns of an aggregation's output that are not results: windows, keys and origins; knows no aggregate and no time rule.

import { BATCH_ROWS_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { BIGINT } from '../data/type.ts';
import { RARER_ROWS } from './parts.ts';

/** The window columns of output rows. */
export class WindowColumns {
  readonly #sizeMs: number;
  /** Bounds of one window repeated, for the batches whose rows all stand in it: most do, and share these arrays. */
  #startMs = NaN;
  #from: BigInt64Array = new BigInt64Array(0);
  #to: BigInt64Array = new BigInt64Array(0);

  constructor(sizeMs: number) {
    this.#sizeMs = sizeMs;
  }

  /** Start and end of the first `rows` windows. */
  columns(starts: Float64Array, rows: number): Column[] {
    const first = starts[0] as number;
    let same = 1;
    while (same < rows && starts[same] === first) same++;
    if (same < rows)
      return boundColumns(filled(starts, rows, 0), filled(starts, rows, this.#sizeMs));
    if (first !== this.#startMs) {
      const repeated = new Float64Array(BATCH_ROWS_MAX).fill(first);
      this.#from = filled(repeated, BATCH_ROWS_MAX, 0);
      this.#to = filled(repeated, BATCH_ROWS_MAX, this.#sizeMs);
      this.#startMs = first;
    }
    return boundColumns(this.#from.subarray(0, rows), this.#to.subarray(0, rows));
  }
}

function boundColumns(...bounds: readonly BigInt64Array[]): Column[] {
  return bounds.map((values) => ({ type: BIGINT, validity: null, storage: 'i64', values }));
}

/** Times plus `plusMs`, written as words, so that no bigint is made. */
function filled(ms: Float64Array, rows: number, plusMs: number): BigInt64Array {
  const values = new BigInt64Array(rows);
  const words = new Int32Array(values.buffer);
  for (let row = 0; row < rows; row++) writeMs(words, row, (ms[row] as number) + plusMs);
  return values;
}

/** A whole number as the two words of a row, the lower first. */
export function writeMs(words: Int32Array, row: number, ms: number): void {
  words[row * 2] = ms | 0;
  words[row * 2 + 1] = Math.floor(ms / 0x1_0000_0000);
}

/** The window columns of the first `rows` bounds that `writeMs` wrote, as copies. */
export function writtenBounds(starts: Int32Array, ends: Int32Array, rows: number): Column[] {
  const copied = (words: Int32Array) => new BigInt64Array(words.slice(0, rows * 2).buffer);
  return boundColumns(copied(starts), copied(ends));
}

/**
 * Key columns and origins of the output rows that show these rows of a batch.
 * @param positions of the rows, each once and ascending, or with repetitions; when they are all rows of an unselected batch, its
 *   own arrays serve
 */
export function carriedOver(
  batch: Batch,
  keys: readonly Column[],
  positions: Uint32Array,
  repeats: boolean,
): { readonly keys: Column[]; readonly origin: Uint32Array | null } {
  const { origin } = batch;
  if (!repeats && positions.length === batch.rowtime.length) return { keys: [...keys], origin };
  return RARER_ROWS.code.carriedChosen(batch, keys, positions);
}
