// Makes records of rows that are given by column names or as values; knows no topic and no query.

import { existing } from '../base/assert.ts';
import type { InsertValuesAnalysis } from '../analyze/analysis.ts';
import { ByteWriter } from '../base/bytes.ts';
import { StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import type { Source } from '../catalog/source.ts';
import type { Column } from '../data/column.ts';
import { columnOf } from '../data/column-of.ts';
import type { ColumnRole, SchemaColumn } from '../data/schema.ts';
import type { Value } from '../data/type.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import type { Host } from '../ports/host.ts';
import { withParts } from '../task/with-parts.ts';
import { produce } from './insert.ts';
import { valueIn } from './value-in.ts';

/** A row: a value per key and value column of its source. */
export interface RowValues {
  readonly values: readonly Value[];
  readonly keyNull: boolean;
}

/** The bytes of a record. */
export interface RecordBytes {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** The columns that rows are given by. */
function writtenColumns({ schema }: Source): readonly SchemaColumn[] {
  return schema.columns.filter(({ role }) => role === 'key' || role === 'value');
}

/** The records of rows, in their order. */
export function recordsOf(
  source: Source,
  rows: readonly RowValues[],
  formats: Formats,
): readonly RecordBytes[] {
  const columns = writtenColumns(source);
  const to = new ByteWriter();
  const part = (role: ColumnRole, spec: FormatSpec): ((row: number) => Uint8Array | null) => {
    const chosen: SchemaColumn[] = [];
    const cells: Column[] = [];
    columns.forEach((column, index) => {
      if (column.role !== role) return;
      chosen.push(column);
      const values = rows.map((row) => row.values[index] ?? null);
      cells.push(columnOf(column.type, values));
    });
    if (role === 'key' && chosen.length === 0) return () => null;
    const encoder = existing(formats.get(spec.format), 'format').encoder(chosen, spec);
    return (row) => {
      to.truncate(0);
      return encoder.encode(cells, row, to) ? to.finish() : null;
    };
  };
  const key = part('key', source.keyFormat);
  const value = part('value', source.valueFormat);
  return rows.map(({ keyNull }, row) => ({ key: keyNull ? null : key(row), value: value(row) }));
}

/** The record of one row. */
export function recordOf(source: Source, row: RowValues, formats: Formats): RecordBytes {
  return existing(recordsOf(source, [row], formats)[0], 'record');
}

/**
 * What reads rows that are given by column names (in any case).
 * @returns `where` stands before what errors say, such as `row 2: `; throws {StatementError} UNKNOWN_COLUMN, TYPE_MISMATCH, INVALID for what
 *   is no object, a column that is given twice and a table's row without its key
 */
export function rowReader(source: Source): (row: object, where: string) => RowValues {
  const columns = writtenColumns(source);
  const places = new Map(columns.map(({ name }, index) => [name, index]));
  /** The names of columns as the rows have them: of many rows each is looked for once. */
  const spelt = new Map<string, number>();
  const keys = columns.filter(({ role }) => role === 'key');
  const keyPlaces = keys.map(({ name }) => places.get(name) ?? 0);
  return (row, where) => {
    // Callers without types may give anything.
    if (typeof row !== 'object' || row === null)
      throw new StatementError('INVALID', `${where}a row is an object of values by column names`);
    const given: (Value | undefined)[] = Array.from({ length: columns.length });
    for (const [name, cell] of Object.entries(row)) {
      const place = spelt.get(name) ?? places.get(name) ?? places.get(name.toUpperCase());
      const column = place === undefined ? undefined : columns[place];
      if (place === undefined || column === undefined) {
        throw new StatementError(
          'UNKNOWN_COLUMN',
          `${where}${source.name} has no column ${name}`,
          null,
          didYouMean(name.toUpperCase(), places.keys()),
        );
      }
      spelt.set(name, place);
      if (given[place] !== undefined)
        throw new StatementError('INVALID', `${where}${column.name} is given twice`);
      given[place] = valueIn(column.type, cell, where + column.name);
    }
    const values = given.map((value) => value ?? null);
    const keyNull = keyPlaces.every((place) => values[place] === null);
    if (source.kind === 'table' && keyNull) {
      const names = keys.map(({ name }) => name).join(', ');
      throw new StatementError('INVALID', `${where}a row of ${source.name} needs its key ${names}`);
    }
    return { values, keyNull };
  };
}

/** Refuses what no client may write. @throws {StatementError} INVALID */
export function checkWritable(source: Source): void {
  const why = source.readOnly
    ? 'is read-only'
    : source.window !== null
      ? 'has a windowed key'
      : null;
  if (why !== null) throw new StatementError('INVALID', `${source.name} takes no rows: it ${why}`);
}

/** Carries an INSERT VALUES out. @throws {StatementError} INVALID */
export async function insertValues(
  analysis: InsertValuesAnalysis,
  { host, formats }: { readonly host: Host; readonly formats: Formats },
): Promise<void> {
  const { source, rowtime } = analysis;
  checkWritable(source);
  const { key, value } = await withParts(() => recordOf(source, analysis, formats));
  const to = { topic: source.topic, spare: 0 };
  await produce(host.log, host.clock, to, [{ key, value, timestamp: rowtime ?? undefined }]);
}
