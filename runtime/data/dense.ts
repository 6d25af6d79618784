// Batches without a selection and without strings that no row uses; knows no bytes of batches.

import type { Batch } from './batch.ts';
import { bitAt, type Column } from './column.ts';
import { Dictionary } from './dictionary.ts';
import { gather, gatherBitmap, gatherColumn } from './gather.ts';

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
  return { ...column, values: codes, dictionary: new Dictionary(bytes, offsets) };
}
