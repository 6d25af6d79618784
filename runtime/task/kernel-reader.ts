// Reads sources whose keys, or values in other formats than JSON, a whole kernel decodes; knows no operator and no log.

import { RecordError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { RecordBatch } from '../data/record.ts';
import { delimiterOf } from '../formats/delimited.ts';
import { isDecodedWhole } from '../formats/kernel-formats.ts';
import { windowBytes } from '../formats/windowed-key.ts';
import type { FormatSpec } from '../formats/serde.ts';
import { granted, type KernelExports } from '../kernel/exports.ts';
import type { SourceStep } from '../plan/step.ts';
import {
  decodePart,
  Kept,
  type OnProblem,
  type Part,
  type Reader,
  type SourceReader,
} from './input.ts';
import { JsonValues } from './json-values.ts';
import type { ValueChunk } from './shared-values.ts';
import { type RecordPlace, windowKind } from './record-columns.ts';

/** What the whole kernel exports and its halves for pages do not. */
const WHOLE = 'delimitedInit';

/** The reader of a source in whose stead the kernel decodes; null: it does no more than the reader knows. */
export function kernelReader(
  plain: SourceReader,
  step: SourceStep,
  kernel: WebAssembly.Module,
): Reader | null {
  if (!WebAssembly.Module.exports(kernel).some(({ name }) => name === WHOLE)) return null;
  const made = (role: 'key' | 'value', spec: FormatSpec): JsonValues | null => {
    const part = plain[role];
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
    // Only JSON asks for names, which have their bounds.
    const named = spec.format === 'JSON';
    const decoded = named ? part.columns : part.columns.map((column) => ({ ...column, name: '' }));
    return new JsonValues(kernel, decoded, part.decoder, step, null, begun);
  };
  // What is behind a windowed key is no part of it.
  const keys = step.window === null ? made('key', step.keyFormat) : null;
  const values = plain.json === null ? made('value', step.valueFormat) : null;
  if (keys === null && values === null) return null;
  return new KernelReader(plain, step, keys, values);
}

class KernelReader implements Reader {
  readonly #plain: SourceReader;
  readonly #keys: JsonValues | null;
  readonly #values: JsonValues | null;
  readonly #windowBytes: number;
  readonly #needsKey: boolean;

  constructor(
    plain: SourceReader,
    step: SourceStep,
    keys: JsonValues | null,
    values: JsonValues | null,
  ) {
    const kind = windowKind(step.window);
    this.#windowBytes = kind === null ? 0 : windowBytes(kind);
    this.#needsKey = step.kind === 'table' || kind !== null;
    this.#plain = plain;
    this.#keys = keys;
    this.#values = values ?? plain.json;
    for (const role of ['key', 'value'] as const) {
      if ((role === 'key' ? keys : this.#values) === null) continue;
      for (const { name } of plain[role]?.columns ?? []) plain.builders.delete(`${role} ${name}`);
    }
  }

  close(): void {
    this.#plain.close();
  }

  read(
    records: RecordBatch,
    place: RecordPlace,
    from: number,
    to: number,
    onProblem: OnProblem,
  ): Batch | null {
    const plain = this.#plain;
    if (records.isColumnar) return plain.read(records, place, from, to, onProblem);
    const chunk = { place, from, to };
    const areValues = this.#values?.begin({ ...chunk, records }) ?? plain.value === null;
    const areKeys = this.#keys?.begin({ ...chunk, records: keysOf(records, from, to) }) ?? false;
    const kept = new Kept(to - from);
    const isKeyFree = !this.#needsKey && (plain.key === null || plain.key.decoder.isIdle === true);
    if (areValues && this.#values !== null && (areKeys || isKeyFree)) {
      for (let index = from; index < to; index++)
        kept.add(index, !areKeys && records.keyFrom(index) < 0, false);
    } else this.#decodeAll(records, from, to, kept, onProblem);
    if (kept.rows === 0) return null;
    const columns = new Map<string, Column>();
    for (const [name, builder] of plain.builders) columns.set(name, builder.finish());
    const positions = kept.rows === to - from ? null : kept.positions(from);
    finish('key', plain.key, this.#keys, positions, columns);
    finish('value', plain.value, this.#values, positions, columns);
    return plain.batch(records, place, kept, columns, onProblem);
  }

  /** As the plain reader does. */
  #decodeKey(records: RecordBatch, index: number): boolean {
    const { key } = this.#plain;
    const from = records.keyFrom(index);
    const to = records.keyTo(index) - this.#windowBytes;
    if (from >= 0 && to < from)
      throw new RecordError('DESERIALIZATION', 'the key is too short to hold its window');
    return decodePart(key, records.bytes, from, to);
  }

  #decodeAll(
    records: RecordBatch,
    from: number,
    to: number,
    kept: Kept,
    onProblem: OnProblem,
  ): void {
    const { value, builders } = this.#plain;
    const { bytes } = records;
    for (let index = from; index < to; index++) {
      try {
        const hasKey =
          this.#keys === null ? this.#decodeKey(records, index) : this.#keys.take(index - from);
        if (!hasKey && this.#needsKey)
          throw new RecordError('DESERIALIZATION', 'the record needs a key');
        const hasValue =
          this.#values === null
            ? decodePart(value, bytes, records.valueFrom(index), records.valueTo(index))
            : this.#values.take(index - from);
        kept.add(index, !hasKey, !hasValue);
      } catch (thrown) {
        const isBad = thrown instanceof RecordError;
        // What else is thrown ends the call, which may be made again: nothing of it stays.
        for (const builder of builders.values()) builder.truncate(isBad ? kept.rows : 0);
        if (!isBad) throw thrown;
        onProblem(index, thrown);
      }
    }
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

function finish(
  role: 'key' | 'value',
  part: Part | null,
  from: JsonValues | null,
  positions: Uint32Array | null,
  into: Map<string, Column>,
): void {
  from?.finish(positions).forEach((column, index) => {
    into.set(`${role} ${part?.columns[index]?.name}`, column);
  });
}
