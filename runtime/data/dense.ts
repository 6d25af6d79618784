// Chosen rows of columns and batches as columns and batches of their own, without strings that no row uses; knows no bytes of batches.

import type { Batch } from './batch.ts';
import { bitAt, type Bitmap, bitmap, type Column, setBit } from './column.ts';
import { WholeDictionary } from './dictionary.ts';
import type { Value } from './type.ts';

type Numbers = Float64Array | Int32Array | Uint8Array | Uint32Array;

/** Copies the numbers at `positions` into `to`, which has room for exactly them; returns it. */
export function gather<N extends Numbers>(from: N, to: N, positions: Uint32Array): N {
  // Asked for once: in code that is not optimized yet a length is a call.
  const { length } = positions;
  for (let i = 0; i < length; i++) to[i] = from[positions[i] as number] as number;
  return to;
}

/** The rows at `positions`, in that order. A dictionary is shared, not copied. */
export function gatherColumn(column: Column, positions: Uint32Array): Column {
  const rows = positions.length;
  const validity = gatherBitmap(column.validity, positions);
  switch (column.storage) {
    case 'f64':
      return {
        ...column,
        validity,
        values: gather(column.values, new Float64Array(rows), positions),
      };
    case 'i32':
      return {
        ...column,
        validity,
        values: gather(column.values, new Int32Array(rows), positions),
      };
    case 'u8':
      return {
        ...column,
        validity,
        values: gather(column.values, new Uint8Array(rows), positions),
      };
    case 'dictionary':
      return {
        ...column,
        validity,
        values: gather(column.values, new Uint32Array(rows), positions),
      };
    case 'i64': {
      const values = new BigInt64Array(rows);
      const from = wordsOf(column.values);
      const to = wordsOf(values);
      for (let i = 0; i < rows; i++) {
        const at = (positions[i] as number) * 2;
        to[i * 2] = from[at] as number;
        to[i * 2 + 1] = from[at + 1] as number;
      }
      return { ...column, validity, values };
    }
    case 'objects': {
      const from = column.values;
      const values: Value[] = [];
      for (let i = 0; i < rows; i++) values.push(from[positions[i] as number] ?? null);
      return { ...column, validity, values };
    }
  }
}

/** Each number as two, the lower first: a loop over bigints that is not compiled yet would make one a row. */
export function wordsOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length * 2);
}

/** The bits at `positions`; null stays null. */
export function gatherBitmap(bits: Bitmap | null, positions: Uint32Array): Bitmap | null {
  if (bits === null) return null;
  const gathered = bitmap(positions.length);
  for (let i = 0; i < positions.length; i++)
    if (bitAt(bits, positions[i] as number)) setBit(gathered, i);
  return gathered;
}

/** The same rows with no selection: the arrays hold exactly the rows that count. Cost: copies, unless already so. */
export function compact(batch: Batch): Batch {
  const { selection } = batch;
  if (selection === null) return batch;
  return {
    schema: batch.schema,
    length: selection.length,
    selection: null,
    columns: batch.columns.map((column) => gatherColumn(column, selection)),
    valueNull: gatherBitmap(batch.valueNull, selection),
    keyNull: gatherBitmap(batch.keyNull, selection),
    rowtime: gather(batch.rowtime, new Float64Array(selection.length), selection),
    op: batch.op && gather(batch.op, new Uint8Array(selection.length), selection),
    origin: batch.origin && gather(batch.origin, new Uint32Array(selection.length), selection),
  };
}

/** The same rows without a selection and without strings that no row uses. Cost: nothing when it is so already. */
export function densified(batch: Batch): Batch {
  const rows = batch.length;
  const dense = compact(batch);
  const columns = dense.columns.map((column) =>
    column.storage === 'dictionary' && (batch.selection !== null || column.dictionary.size > rows)
      ? compactDictionary({ ...column, values: column.values.subarray(0, rows) })
      : column,
  );
  return { ...dense, columns };
}

/**
 * The same column with a dictionary of exactly the strings that its valid rows use, in the order of their first use; null
 * rows get code 0. Cost: one pass over the codes, one copy of the bytes used.
 */
export function compactDictionary(column: Column & { readonly storage: 'dictionary' }): Column {
  const { dictionary, values, validity } = column;
  const renamed = new Uint32Array(dictionary.size);
  const used: number[] = [];
  const codes = new Uint32Array(values.length);
  let size = 0;
  for (let row = 0; row < values.length; row++) {
    if (validity !== null && !bitAt(validity, row)) continue;
    const code = values[row] as number;
    let name = renamed[code] as number;
    if (name === 0) {
      used.push(code);
      name = used.length;
      renamed[code] = name;
      size += (dictionary.offsets[code + 1] as number) - (dictionary.offsets[code] as number);
    }
    codes[row] = name - 1;
  }
  const bytes = new Uint8Array(size);
  // An empty dictionary keeps one entry for the codes of null rows to point at.
  const offsets = new Uint32Array(Math.max(used.length, 1) + 1);
  let at = 0;
  used.forEach((code, name) => {
    const text = dictionary.utf8(code);
    bytes.set(text, at);
    at += text.length;
    offsets[name + 1] = at;
  });
  return { ...column, values: codes, dictionary: new WholeDictionary(bytes, offsets) };
}
