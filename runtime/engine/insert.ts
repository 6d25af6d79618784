// Makes records of rows and appends them to the topics of sources; knows no query.

import { ByteWriter, encodeUtf8 } from '../base/bytes.ts';
import { InvariantError, PortError, StatementError } from '../base/errors.ts';
import { partitionOf } from '../base/hash.ts';
import type { Source } from '../catalog/source.ts';
import { didYouMean } from '../catalog/nearest.ts';
import { columnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { RecordHeader } from '../data/record.ts';
import { RecordBatchBuilder } from '../data/record-builder.ts';
import type { ColumnRole, SchemaColumn } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { valueIn } from './value-in.ts';

/** A record to append. Text stands for its UTF-8. */
export interface ProducedRecord {
  readonly key?: Uint8Array | string | null | undefined;
  readonly value: Uint8Array | string | null;
  /** Milliseconds since the Unix epoch; absent: now. */
  readonly timestamp?: number | undefined;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** Absent: murmur2 of the key; records without a key share one partition a call. */
  readonly partition?: number | undefined;
}

/** Where a record stands. */
export interface ProducedAt {
  readonly partition: number;
  readonly offset: number;
}

/** A column of one value. */
export function columnOf(type: Type, value: Value): Column {
  const builder = columnBuilder(type);
  builder.append(value);
  return builder.finish();
}

/** The record of one row: a value per key and value column of the source. */
export function recordOf(
  source: Source,
  row: { readonly values: readonly Value[]; readonly keyNull: boolean },
  formats: Formats,
): { readonly key: Uint8Array | null; readonly value: Uint8Array | null } {
  const columns = source.schema.columns.filter(({ role }) => role === 'key' || role === 'value');
  const part = (role: ColumnRole, spec: FormatSpec): Uint8Array | null => {
    const chosen: SchemaColumn[] = [];
    const cells: Column[] = [];
    columns.forEach((column, index) => {
      if (column.role !== role) return;
      chosen.push(column);
      cells.push(columnOf(column.type, row.values[index] ?? null));
    });
    if (role === 'key' && (row.keyNull || chosen.length === 0)) return null;
    const format = formats.get(spec.format);
    if (format === undefined) throw new InvariantError(`there is no format ${spec.format}`);
    const to = new ByteWriter();
    return format.encoder(chosen, spec).encode(cells, 0, to) ? to.finish() : null;
  };
  return { key: part('key', source.keyFormat), value: part('value', source.valueFormat) };
}

/**
 * The values of a row that is given by column names (in any case), one per key and value column of the source.
 * @throws {StatementError} UNKNOWN_COLUMN, TYPE_MISMATCH, INVALID for a table's row without its key
 */
export function valuesOf(
  source: Source,
  row: Readonly<Record<string, unknown>>,
): { readonly values: readonly Value[]; readonly keyNull: boolean } {
  const columns = source.schema.columns.filter(({ role }) => role === 'key' || role === 'value');
  const exact = new Set(columns.map(({ name }) => name));
  const given = new Map<string, unknown>();
  for (const [name, value] of Object.entries(row)) {
    const known = exact.has(name) ? name : name.toUpperCase();
    if (!exact.has(known)) {
      throw new StatementError(
        'UNKNOWN_COLUMN',
        `${source.name} has no column ${name}`,
        null,
        didYouMean(name.toUpperCase(), exact),
      );
    }
    given.set(known, value);
  }
  const values = columns.map(({ name, type }) => valueIn(type, given.get(name), name));
  const keys = columns.filter(({ role }) => role === 'key');
  const keyNull = keys.every((_, index) => values[index] === null);
  if (source.kind === 'table' && keyNull) {
    throw new StatementError(
      'INVALID',
      `a row of ${source.name} needs its key ${keys.map(({ name }) => name).join(', ')}`,
    );
  }
  return { values, keyNull };
}

/** Refuses what no client may write. @throws {StatementError} INVALID */
export function checkWritable(source: Source): void {
  const why = source.readOnly
    ? 'is read-only'
    : source.window !== null
      ? 'has a windowed key'
      : source.headers.length > 0
        ? 'has columns made of headers'
        : null;
  if (why !== null) throw new StatementError('INVALID', `${source.name} takes no rows: it ${why}`);
}

/**
 * Appends records to a topic, in order in each partition; each partition's are durable or not by themselves.
 * @param spare partition (modulo the partitions) of records without a key
 * @throws {PortError} what the log refuses; UNKNOWN_TOPIC, UNKNOWN_PARTITION
 */
export async function produce(
  log: Log,
  clock: Clock,
  to: { readonly topic: string; readonly spare: number },
  records: readonly ProducedRecord[],
): Promise<readonly ProducedAt[]> {
  const { topic } = to;
  const description = await log.describe(topic);
  if (description === null) throw new PortError('UNKNOWN_TOPIC', `there is no topic '${topic}'`);
  const { partitions, incarnation } = description;
  const now = Math.max(0, Math.floor(clock.now()));
  const places: ProducedAt[] = [];
  const byPartition = new Map<number, number[]>();
  records.forEach((record, index) => {
    const key = bytesOf(record.key ?? null);
    const partition =
      record.partition ?? (key === null ? to.spare % partitions : partitionOf(key, partitions));
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      throw new PortError('UNKNOWN_PARTITION', `topic '${topic}' has no partition ${partition}`);
    }
    const indexes = byPartition.get(partition);
    if (indexes === undefined) byPartition.set(partition, [index]);
    else indexes.push(index);
  });
  for (const [partition, indexes] of byPartition) {
    const builder = new RecordBatchBuilder();
    let sent: number[] = [];
    const flush = async (): Promise<void> => {
      const bytes = builder.finish();
      if (bytes === null) return;
      const { base } = await log.append({ topic, partition }, bytes, undefined, incarnation);
      sent.forEach((index, i) => {
        places[index] = { partition, offset: (base ?? 0) + i };
      });
      sent = [];
    };
    for (const index of indexes) {
      const { key, value, timestamp, headers } = records[index] ?? { value: null };
      const add = () =>
        builder.append(bytesOf(key ?? null), bytesOf(value), timestamp ?? now, headers ?? []);
      if (!add()) {
        await flush();
        add();
      }
      sent.push(index);
    }
    await flush();
  }
  return places;
}

function bytesOf(given: Uint8Array | string | null): Uint8Array | null {
  return typeof given === 'string' ? encodeUtf8(given) : given;
}
