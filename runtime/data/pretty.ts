// Batches as little text tables and back, for tests and messages; knows no format of records.

import { assert } from '../base/assert.ts';
import { InvariantError } from '../base/errors.ts';
import { BatchBuilder } from './batch-builder.ts';
import { type Batch, type Op, Op as Ops, positionOf } from './batch.ts';
import { opAt } from './batches.ts';
import { bitAt, valueAt } from './column.ts';
import { type ColumnRole, type Schema, schema } from './schema.ts';
import { prettyValue, readPrettyValue } from './pretty-value.ts';
import { typeText } from './type.ts';
import { parseType } from './type-text.ts';

const OPS: ReadonlyMap<string, Op> = new Map([
  ['+', Ops.Insert],
  ['<', Ops.UpdateBefore],
  ['>', Ops.UpdateAfter],
  ['-', Ops.Delete],
]);
const OP_TEXTS = ['+', '<', '>', '-'] as const;
const ROLES: readonly ColumnRole[] = ['key', 'window', 'value', 'pseudo'];

/**
 * A batch from a header and rows:
 *
 *     batch('K:STRING key | N:BIGINT @rowtime',
 *       '+ a | 1 @0',
 *       '> a | 2 @5',
 *       '- a | ~ @7')
 *
 * Header: `name:type role` cells (role `value` when left out), `@rowtime` as a decoration. Rows: an operation (+ Insert,
 * < UpdateBefore, > UpdateAfter, - Delete) on each row or on none, the cells, `@` and the rowtime (0 when left out), `#` and
 * the origin (on each row or none). Cells: `null`, numbers, text as it is or as a JSON string, `0x` hex for BYTES, JSON for
 * ARRAY, MAP and STRUCT. `~` in a key column makes the key as a whole null, in a value column the value.
 * @throws {InvariantError} when the text is no table
 */
export function batch(header: string, ...rows: readonly string[]): Batch {
  const of = prettySchema(header);
  const builder = new BatchBuilder(of);
  for (const row of rows) addRow(builder, row);
  const built = builder.finish();
  assert(built !== null, 'a batch has at least one row');
  return built;
}

/** The schema of a header, as `batch` reads it. */
export function prettySchema(header: string): Schema {
  const text = header.replace(/@rowtime\s*$/u, '').trim();
  return schema(
    cells(text).map((cell) => {
      const match = /^(.*?):(.*)$/su.exec(cell.trim());
      const [, name = '', rest = ''] = match ?? [];
      const role = ROLES.find((candidate) => rest.endsWith(` ${candidate}`)) ?? 'value';
      const typeName = rest.endsWith(` ${role}`) ? rest.slice(0, -role.length - 1) : rest;
      const type = parseType(typeName.trim());
      if (type === null) throw new InvariantError(`no type in the header cell "${cell}"`);
      return { name: name.trim(), type, role };
    }),
  );
}

function addRow(builder: BatchBuilder, text: string): void {
  const match = /^(?:([+<>-]) )?(.*?)(?:@(-?\d+))?(?:\s*#(\d+))?$/su.exec(text.trim());
  const [, op, body = '', rowtime = '0', origin] = match ?? [];
  const { columns } = builder.schema;
  const found = cells(body);
  if (found.length !== columns.length) {
    throw new InvariantError(`${found.length} cells for ${columns.length} columns: ${text}`);
  }
  let keyNull = false;
  let valueNull = false;
  columns.forEach((column, index) => {
    const cell = (found[index] ?? '').trim();
    if (cell === '~') {
      if (column.role === 'value') valueNull = true;
      else keyNull = true;
    }
    builder.columns[index]?.append(cell === '~' ? null : readPrettyValue(column.type, cell));
  });
  builder.endRow(
    Number(rowtime),
    op === undefined ? null : (OPS.get(op) ?? null),
    origin === undefined ? null : Number(origin),
  );
  if (keyNull) builder.markKeyNull();
  if (valueNull) builder.markValueNull();
}

/** Cuts at `|` outside of JSON strings. */
function cells(text: string): string[] {
  const found: string[] = [];
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\' && quoted) i++;
    else if (character === '"') quoted = !quoted;
    else if (character === '|' && !quoted) {
      found.push(text.slice(start, i));
      start = i + 1;
    }
  }
  found.push(text.slice(start));
  return found;
}

/** A batch as the lines that `batch` reads, the header first, columns aligned. */
export function format(of: Batch): string {
  const head = of.schema.columns.map(
    (column) =>
      `${column.name}:${typeText(column.type)}${column.role === 'value' ? '' : ` ${column.role}`}`,
  );
  const rows = Array.from({ length: of.length }, (_, i) => rowCells(of, i));
  const widths = head.map((cell, index) =>
    Math.max(cell.length, ...rows.map((row) => row.cells[index]?.length ?? 0)),
  );
  const line = (texts: readonly string[]) =>
    texts.map((text, index) => text.padEnd(widths[index] ?? 0)).join(' | ');
  const margin = of.op === null ? '' : '  ';
  return [
    `${margin}${line(head)} @rowtime`,
    ...rows.map((row) => `${row.op}${line(row.cells)} ${row.tail}`),
  ].join('\n');
}

function rowCells(of: Batch, i: number): { op: string; cells: string[]; tail: string } {
  const at = positionOf(of, i);
  const op = opAt(of, at);
  const isKeyNull = of.keyNull !== null && bitAt(of.keyNull, at);
  const isValueNull = of.valueNull !== null && bitAt(of.valueNull, at);
  return {
    op: op === null ? '' : `${OP_TEXTS[op]} `,
    cells: of.columns.map((column, index) => {
      const { role } = of.schema.columns[index] ?? { role: 'value' };
      if (role === 'value' ? isValueNull : role === 'key' && isKeyNull) return '~';
      return prettyValue(column.type, valueAt(column, at));
    }),
    tail: `@${of.rowtime[at]}${of.origin === null ? '' : ` #${of.origin[at]}`}`,
  };
}
