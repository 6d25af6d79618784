// Makes records of rows that are given by column names or as values; knows no topic and no query.

import { existing } from '../base/assert.ts';
import type { InsertValuesAnalysis } from '../analyze/analysis.ts';
import { ByteWriter } from '../base/bytes.ts';
import { StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import type { Source } from '../catalog/source.ts';
import { columnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { ColumnRole, SchemaColumn } from '../data/schema.ts';
import type { Type, Value } from '../data/type.ts';
import type { Formats, FormatSpec } from '../formats/serde.ts';
import type { Host } from '../ports/host.ts';
import { withParts } from '../task/with-parts.ts';
import { produce } from './insert.ts';
import { valueIn } from './value-in.ts';

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
    const format = existing(formats.get(spec.format), 'format');
    const to = new ByteWriter();
    return format.encoder(chosen, spec).encode(cells, 0, to) ? to.finish() : null;
  };
  return { key: part('key', source.keyFormat), value: part('value', source.valueFormat) };
}

/**
 * The values of a row that is given by column names (in any case), one per key and value column of the source.
 * @param where stands before what errors say, such as `row 2: `
 * @throws {StatementError} UNKNOWN_COLUMN, TYPE_MISMATCH, INVALID for what is no object, a column that is given twice and a table's row without its key
 */
export function valuesOf(
  source: Source,
  row: Readonly<Record<string, unknown>>,
  where: string,
): { readonly values: readonly Value[]; readonly keyNull: boolean } {
  const columns = source.schema.columns.filter(({ role }) => role === 'key' || role === 'value');
  const exact = new Set(columns.map(({ name }) => name));
  const given = new Map<string, unknown>();
  // Callers without types may give anything.
  if (typeof row !== 'object' || row === null)
    throw new StatementError('INVALID', `${where}a row is an object of values by column names`);
  for (const [name, value] of Object.entries(row)) {
    const known = exact.has(name) ? name : name.toUpperCase();
    if (!exact.has(known)) {
      throw new StatementError(
        'UNKNOWN_COLUMN',
        `${where}${source.name} has no column ${name}`,
        null,
        didYouMean(name.toUpperCase(), exact),
      );
    }
    if (given.has(known)) throw new StatementError('INVALID', `${where}${known} is given twice`);
    given.set(known, value);
  }
  const values = columns.map(({ name, type }) => valueIn(type, given.get(name), where + name));
  const keys = columns.filter(({ role }) => role === 'key');
  const keyNull = keys.every((_, index) => values[index] === null);
  if (source.kind === 'table' && keyNull) {
    throw new StatementError(
      'INVALID',
      `${where}a row of ${source.name} needs its key ${keys.map(({ name }) => name).join(', ')}`,
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
