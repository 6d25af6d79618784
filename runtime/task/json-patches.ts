// Puts what was decoded elsewhere into the columns that the kernel decoded, and leaves out the rows of bad records; knows no record.

import { type Column, isNull, setBit } from '../data/column.ts';
import { compactDictionary, gatherColumn } from '../data/dense.ts';
import type { Dictionary } from '../data/dictionary.ts';
import { Interner } from '../data/interner.ts';
import type { Value } from '../data/type.ts';
import { VALUE_CODES } from '../data/value-codes.ts';
import type { JsonKernel } from '../kernel/json-instance.ts';

/** Codes from here on are of texts that the kernel had no room for. */
const OTHER = 2 ** 31;

/** Some rows of a chunk, a column for each of its columns, and where they stand in it. */
interface Patches {
  readonly columns: readonly Column[];
  readonly rows: readonly number[];
}

/** The columns of the kernel's open chunk with the patches in them, and of them the rows at these positions; null: all. */
export function patched(
  kernel: JsonKernel,
  { columns, rows }: Patches,
  positions: Uint32Array | null,
): Column[] {
  const patches = columns.map((column, index) => new Patch(column, rows, kernel, index));
  return kernel.columns().map((whole, index) => {
    const column = rows.length === 0 ? whole : (patches[index] as Patch).applied(whole);
    return positions === null ? column : chosenOf(column, positions);
  });
}

/** The rows at these positions. */
export function chosen(columns: readonly Column[], positions: Uint32Array): Column[] {
  return columns.map((column) => chosenOf(column, positions));
}

function chosenOf(column: Column, positions: Uint32Array): Column {
  const kept = gatherColumn(column, positions);
  return kept.storage === 'dictionary' ? compactDictionary(kept) : kept;
}

/** Values of some rows of a column that were decoded elsewhere. */
class Patch {
  readonly #column: Column;
  readonly #rows: readonly number[];
  /** By code of the patch that of the chunk, or OTHER and more. */
  readonly #codes: Uint32Array;
  readonly #others = new Interner();

  constructor(column: Column, rows: readonly number[], kernel: JsonKernel, index: number) {
    this.#column = column;
    this.#rows = rows;
    const size = column.storage === 'dictionary' ? column.dictionary.size : 0;
    this.#codes = new Uint32Array(size);
    if (column.storage !== 'dictionary') return;
    const used = new Set(column.values.filter((_, row) => !isNull(column, row)));
    for (const code of used) {
      const utf8 = column.dictionary.utf8(code);
      const known = kernel.intern(index, utf8);
      this.#codes[code] = known >= 0 ? known : OTHER + this.#others.intern(utf8, 0, utf8.length);
    }
  }

  /** The whole column with the rows of the patch in it; `whole` is no longer of use. */
  applied(whole: Column): Column {
    const own = this.#column;
    const rows = this.#rows;
    const validity = this.#validity(whole);
    if (whole.storage === 'dictionary' && own.storage === 'dictionary') {
      const { dictionary, values } = whole;
      rows.forEach((row, i) => {
        const code = isNull(own, i) ? 0 : (this.#codes[own.values[i] as number] as number);
        values[row] = code < OTHER ? code : dictionary.size + (code - OTHER);
      });
      const others = this.#others.size;
      return {
        ...whole,
        validity,
        dictionary: others === 0 ? dictionary : joined(dictionary, this.#others.finish()),
      };
    }
    // Of one storage both, save a time, of which only the rowtime is made.
    const from = own.values as readonly Value[];
    const to = whole.values as unknown as Value[];
    const isDouble = whole.storage === 'f64';
    VALUE_CODES.delete(to);
    rows.forEach((row, i) => {
      to[row] = isDouble ? Number(from[i]) : (from[i] as Value);
    });
    return { ...whole, validity };
  }

  #validity(whole: Column): Uint8Array | null {
    if (whole.validity === null && this.#column.validity === null) return null;
    const { length } = whole.values;
    const bits = whole.validity ?? new Uint8Array((length + 7) >> 3);
    if (whole.validity === null) for (let row = 0; row < length; row++) setBit(bits, row);
    this.#rows.forEach((row, i) => {
      if (isNull(this.#column, i)) bits[row >> 3] = (bits[row >> 3] as number) & ~(1 << (row & 7));
      else setBit(bits, row);
    });
    return bits;
  }
}

/** The entries of both, of which none is the same. */
function joined(...parts: readonly Dictionary[]): Dictionary {
  const all = new Interner();
  for (const { bytes, offsets, size } of parts)
    for (let code = 0; code < size; code++)
      all.intern(bytes, offsets[code] as number, offsets[code + 1] as number);
  return all.finish();
}
