// Copies chosen rows of several batches' columns into one new column; knows no key.

import type { Batch } from './batch.ts';
import { type Bitmap, bitAt, bitmap, type Column, isNull, setBit, valueAt } from './column.ts';
import { wordsOf } from './dense.ts';
import type { Dictionary } from './dictionary.ts';
import { Interner } from './interner.ts';
import type { Value } from './type.ts';

/** Rows of several batches: row `i` stands at `positions[i]` of batch `batches[i]`. */
export interface Places {
  readonly batches: Uint32Array;
  readonly positions: Uint32Array;
}

type Of<S extends Column['storage']> = Column & { readonly storage: S };

/**
 * The values at those places, in that order.
 * @param columns one column of each batch, all of one type
 */
export function gatherAcross(columns: readonly Column[], places: Places): Column {
  const [first] = columns as readonly [Column];
  if (columns.some(({ storage }) => storage !== first.storage)) return mixed(columns, places);
  const validity = validityOf(columns, places);
  switch (first.storage) {
    case 'f64':
      return {
        ...first,
        validity,
        values: numbers(columns as Of<'f64'>[], places, Float64Array),
      };
    case 'i32':
      return { ...first, validity, values: numbers(columns as Of<'i32'>[], places, Int32Array) };
    case 'u8':
      return { ...first, validity, values: numbers(columns as Of<'u8'>[], places, Uint8Array) };
    case 'i64':
      return { ...first, validity, values: longs(columns as Of<'i64'>[], places) };
    case 'dictionary':
      return { ...first, validity, ...texts(columns as Of<'dictionary'>[], places, validity) };
    case 'objects':
      return { ...first, validity, values: objects(columns as Of<'objects'>[], places) };
  }
}

/** The columns and rowtimes of rows of several batches of one schema. */
export function rowsAcross(
  batches: readonly Batch[],
  places: Places,
): Pick<Batch, 'columns' | 'rowtime'> {
  const { columns } = batches[0] as Batch;
  const rowtime = new Float64Array(places.positions.length);
  for (let i = 0; i < rowtime.length; i++) {
    const { rowtime: from } = batches[places.batches[i] as number] as Batch;
    rowtime[i] = from[places.positions[i] as number] as number;
  }
  return {
    columns: columns.map((_, at) =>
      gatherAcross(
        batches.map((batch) => batch.columns[at] as Column),
        places,
      ),
    ),
    rowtime,
  };
}

/** Texts come in two storages. */
function mixed(columns: readonly Column[], { batches, positions }: Places): Column {
  const values = Array.from(positions, (position, i) =>
    valueAt(columns[batches[i] as number] as Column, position),
  );
  return { type: (columns[0] as Column).type, validity: null, storage: 'objects', values };
}

function validityOf(columns: readonly Column[], { batches, positions }: Places): Bitmap | null {
  if (columns.every(({ validity }) => validity === null)) return null;
  const bits = bitmap(positions.length);
  for (let i = 0; i < positions.length; i++) {
    if (!isNull(columns[batches[i] as number] as Column, positions[i] as number)) setBit(bits, i);
  }
  return bits;
}

function numbers<N extends Float64Array | Int32Array | Uint8Array>(
  columns: readonly { readonly values: N }[],
  { batches, positions }: Places,
  Make: new (length: number) => N,
): N {
  const values = new Make(positions.length);
  for (let i = 0; i < values.length; i++) {
    const from = (columns[batches[i] as number] as { readonly values: N }).values;
    values[i] = from[positions[i] as number] as number;
  }
  return values;
}

function longs(columns: readonly Of<'i64'>[], { batches, positions }: Places): BigInt64Array {
  const values = new BigInt64Array(positions.length);
  const words = columns.map((column) => wordsOf(column.values));
  const to = wordsOf(values);
  for (let i = 0; i < values.length; i++) {
    const from = words[batches[i] as number] as Int32Array;
    const at = (positions[i] as number) * 2;
    to[i * 2] = from[at] as number;
    to[i * 2 + 1] = from[at + 1] as number;
  }
  return values;
}

function objects(columns: readonly Of<'objects'>[], { batches, positions }: Places): Value[] {
  return Array.from(
    positions,
    (position, i) => (columns[batches[i] as number] as Of<'objects'>).values[position] ?? null,
  );
}

/** A dictionary of the texts that are used: mostly each is looked up once for each dictionary that it stands in. */
function texts(
  columns: readonly Of<'dictionary'>[],
  { batches, positions }: Places,
  validity: Bitmap | null,
): { readonly values: Uint32Array; readonly dictionary: Dictionary } {
  const interner = new Interner();
  const known = new Map<Dictionary, Int32Array>();
  const values = new Uint32Array(positions.length);
  for (let i = 0; i < values.length; i++) {
    if (validity !== null && !bitAt(validity, i)) continue;
    const { dictionary, values: codes } = columns[batches[i] as number] as Of<'dictionary'>;
    const code = codes[positions[i] as number] as number;
    let renamed = known.get(dictionary);
    if (renamed === undefined) {
      // For a few rows of a large dictionary no more than that: codes beyond it are looked up each time.
      const size = Math.min(dictionary.size, values.length * 4);
      known.set(dictionary, (renamed = new Int32Array(size).fill(-1)));
    }
    let id = renamed[code] ?? -1;
    if (id < 0) {
      const { bytes, offsets } = dictionary;
      id = interner.intern(bytes, offsets[code] as number, offsets[code + 1] as number);
      renamed[code] = id;
    }
    values[i] = id;
  }
  // A column of nulls still has an entry for its zero codes to point at.
  if (interner.size === 0) interner.intern(new Uint8Array(0), 0, 0);
  return { values, dictionary: interner.finish() };
}
