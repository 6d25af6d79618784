// What a whole kernel decodes of a source besides values in JSON: its keys, and values in other formats; knows no operator and no log.

import type { RecordBatch } from '../data/record.ts';
import { delimiterOf } from '../formats/delimited.ts';
import type { SchemaColumn } from '../data/schema.ts';
import { TIMESTAMP } from '../data/type.ts';
import { isDecodedWhole } from '../formats/kernel-formats.ts';
import { granted, type KernelExports } from '../kernel/exports.ts';
import type { DecodedColumn } from '../kernel/json-nodes.ts';
import type { Part } from './input.ts';
import { JsonValues, type ValueSource } from './json-values.ts';
import { lentColumns } from './lent-columns.ts';
import type { ValueChunk } from './shared-values.ts';

export { handed } from '../data/handed-batch.ts';
export { grownDecoders } from './grown-decoders.ts';

/** What the whole kernel exports and its halves for pages do not. */
const WHOLE = 'delimitedInit';

/** Those of a source that decode in the kernel; null: the format's own decoder does. */
interface KernelDecoders {
  readonly keys: JsonValues | null;
  readonly values: JsonValues | null;
}

/**
 * The decoders of a source's key and value.
 * @param key what is wanted of it; null: nothing, or something else decodes it
 * @param value likewise
 */
export function kernelDecoders(
  source: ValueSource,
  kernel: WebAssembly.Module,
  key: Part | null,
  value: Part | null,
): KernelDecoders | null {
  if (key === null && value === null) return null;
  if (!WebAssembly.Module.exports(kernel).some(({ name }) => name === WHOLE)) return null;
  const { step } = source;
  const lent = lentColumns(source);
  const made = (
    role: 'key' | 'value',
    part: Part | null,
    Values: typeof JsonValues,
  ): JsonValues | null => {
    const spec = role === 'key' ? step.keyFormat : step.valueFormat;
    const columns = step.sourceSchema.columns.filter((column) => column.role === role);
    if (part === null || part.decoder.isIdle === true) return null;
    if (!isDecodedWhole(spec, columns, part.columns)) return null;
    const places = part.columns.map(({ name }) =>
      columns.findIndex((column) => column.name === name),
    );
    const isLine = spec.format === 'DELIMITED';
    const begun = (calls: KernelExports): void => {
      if (spec.format === 'KAFKA') granted(calls.kafkaInit());
      if (!isLine) return;
      granted(calls.delimitedInit(columns.length, delimiterOf(spec).charCodeAt(0)));
      for (let i = places.length - 1; i >= 0; i--)
        granted(calls.delimitedField(i, places[i] as number));
    };
    const decoded = part.columns.map((column) => ({
      ...column,
      isLent: role === 'value' && lent.has(column.name),
      // Only JSON asks for names, which have their bounds.
      name: spec.format === 'JSON' ? column.name : '',
    }));
    return new Values(kernel, decoded, part.decoder, { ...source, sharing: null }, begun);
  };
  return {
    // What is behind a windowed key is no part of it.
    keys: step.window === null ? made('key', key, KeyValues) : null,
    values: made('value', value, JsonValues),
  };
}

/**
 * The columns of values as the kernel decodes them, and which of them it lends: a BIGINT that is read for the rowtimes alone becomes doubles at once. What no double holds exactly
 * the kernel declines.
 * @param begun as of JsonValues: given where they are not JSON
 */
export function decodedColumns(
  columns: readonly SchemaColumn[],
  source: ValueSource,
  begun: ((calls: KernelExports) => void) | undefined,
): readonly DecodedColumn[] {
  if (begun !== undefined) return columns;
  const { schema, timestamp } = source.step;
  const lent = lentColumns(source);
  const isRead = ({ role, name }: SchemaColumn): boolean =>
    schema.columns.some((other) => other.role === role && other.name === name);
  const isTime = (column: SchemaColumn): boolean =>
    column.name === timestamp?.column && column.type.kind === 'BIGINT' && !isRead(column);
  return columns.map((column) => ({
    ...column,
    type: isTime(column) ? TIMESTAMP : column.type,
    isLent: lent.has(column.name),
  }));
}

/** Decodes the keys of a chunk's records. */
class KeyValues extends JsonValues {
  override begin(chunk: ValueChunk & { readonly records: RecordBatch }): boolean {
    return super.begin({ ...chunk, records: keysOf(chunk.records, chunk.from, chunk.to) });
  }
}

/** The keys of some records of a batch in the place of their values. */
function keysOf(records: RecordBatch, from: number, to: number): ValueChunk['records'] {
  const lengths = new Int32Array(to);
  for (let i = from; i < to; i++) {
    const at = records.keyFrom(i);
    lengths[i] = at < 0 ? -1 : records.keyTo(i) - at;
  }
  return {
    bytes: records.bytes,
    valueLengths: lengths,
    valueFrom: (i) => records.keyFrom(i),
    valueTo: (i) => records.keyTo(i),
  };
}
