// A batch as it crosses to the page: its arrays are views of one buffer that is handed over; knows no query.

import { COPIED_BYTES_MAX } from '../base/limits.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { DENSE } from '../data/parts.ts';
import type { Value } from '../data/type.ts';
import type { Buffers } from './buffers.ts';

/** Without what the page knows, the schema, and without what it cannot use: origins. A dictionary comes as what it is made of. */
interface PackedRows extends Omit<Batch, 'schema' | 'selection' | 'columns' | 'origin'> {
  readonly columns: readonly PackedColumn[];
}

export interface PackedBatch extends PackedRows {
  /** To be given back; null: the rows come as a copy. */
  readonly buffer: ArrayBuffer | null;
}

/** A column as structured clone takes it. */
type PackedColumn = Omit<Column, 'type' | 'dictionary'> & {
  readonly dictionary?: { readonly bytes: Uint8Array; readonly offsets: Uint32Array } | undefined;
};

type Numbers = Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint32Array;
type Place = <Values extends Numbers>(values: Values) => Values;

/** True for the first rows of the arrays: they need no gathering, every array is cut to them. */
export function isDense({ selection, length }: Batch): boolean {
  return selection === null || selection[length - 1] === length - 1;
}

/**
 * Copies the rows into one buffer: of its own where they are few, and sent as a copy; else one that is to be handed over with them.
 * @throws {PartMissing} DENSE, where they are to be gathered
 */
export function packedBatch(batch: Batch, buffers: Buffers): PackedBatch {
  const dense = isDense(batch) ? batch : DENSE.code.densified(batch);
  let bytes = 0;
  arranged(dense, (values) => {
    bytes += padded(values.byteLength);
    return values;
  });
  const isCopied = bytes <= COPIED_BYTES_MAX;
  const buffer = isCopied ? new ArrayBuffer(bytes) : buffers.take(bytes);
  let at = 0;
  const packed = arranged(dense, (values) => {
    const from = at;
    at += padded(values.byteLength);
    new Uint8Array(buffer, from).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    const { constructor } = values as { constructor: unknown };
    return new (constructor as ViewOf<typeof values>)(buffer, from, values.length);
  });
  return { ...packed, buffer: isCopied ? null : buffer };
}

type ViewOf<Values> = new (buffer: ArrayBuffer, byteOffset: number, length: number) => Values;

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** The rows with each of their arrays put where `place` says. */
function arranged(batch: Batch, place: Place): PackedRows {
  const { length, op } = batch;
  const bits = (bitmap: Uint8Array | null) =>
    bitmap && place(bitmap.subarray(0, (length + 7) >> 3));
  const numbers = <Values extends Numbers>(values: Values): Values =>
    place(values.subarray(0, length) as Values);
  return {
    length,
    rowtime: numbers(batch.rowtime),
    op: op && numbers(op),
    valueNull: bits(batch.valueNull),
    keyNull: bits(batch.keyNull),
    columns: batch.columns.map((column) => {
      const { storage } = column;
      if (storage === 'objects') {
        return { storage, validity: null, values: column.values.slice(0, length).map(owned) };
      }
      return {
        storage,
        validity: bits(column.validity),
        values: numbers(column.values),
        dictionary:
          storage === 'dictionary'
            ? { bytes: place(column.dictionary.bytes), offsets: place(column.dictionary.offsets) }
            : undefined,
      };
    }),
  };
}

/** A view would be cloned with all that lies around it. */
function owned(value: Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Map) {
    return new Map(Array.from(value, ([key, item]) => [owned(key), owned(item)]));
  }
  return (value as readonly Value[]).map(owned);
}
