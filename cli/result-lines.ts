// Writes rows as result lines: JSON with all digits, one object a line; knows no query and no file.

import { ByteWriter } from '../runtime/base/bytes.ts';
import { type Batch, Op, positionOf } from '../runtime/data/batch.ts';
import { bitAt, type Column, valueAt } from '../runtime/data/column.ts';
import { writeJsonString } from '../runtime/data/json-string.ts';
import { writeJson } from '../runtime/data/json-text.ts';
import type { Schema, SchemaColumn } from '../runtime/data/schema.ts';

const COMMA = 0x2c;

interface Cell {
  readonly column: SchemaColumn;
  readonly at: number;
}

/**
 * Result lines of one source: `{"source", "key", "window"?, "value", "rowtime"}`. Keys are the key columns, also where they are null; a
 * row that was deleted has the value null.
 */
export class ResultLines {
  readonly #prefix: Uint8Array;
  readonly #keys: readonly Cell[];
  /** Start and end; empty where the key has no window. */
  readonly #bounds: readonly Cell[];
  readonly #values: readonly Cell[];
  readonly #to = new ByteWriter(65_536);

  constructor(source: string, schema: Schema) {
    const cells = schema.columns.map((column, at) => ({ column, at }));
    const bounds = cells.filter(({ column }) => column.role === 'window');
    this.#keys = cells.filter(({ column }) => column.role === 'key');
    this.#bounds = bounds.length === 2 ? bounds : [];
    this.#values = cells.filter(
      (cell) => cell.column.role !== 'key' && !this.#bounds.includes(cell),
    );
    const prefix = new ByteWriter();
    prefix.utf8('{"source":');
    writeJsonString(prefix, source);
    prefix.utf8(',"key":');
    this.#prefix = prefix.finish();
  }

  /** The lines of a batch's rows; old rows of changes are left out. */
  lines(batch: Batch): Uint8Array {
    const to = this.#to;
    to.truncate(0);
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      if (batch.op?.[position] !== Op.UpdateBefore) this.#write(to, batch, position);
    }
    return to.finish();
  }

  #write(to: ByteWriter, batch: Batch, position: number): void {
    to.bytes(this.#prefix);
    writeObject(to, this.#keys, batch.columns, position);
    const [start, end] = this.#bounds;
    if (start !== undefined && end !== undefined) {
      to.utf8(',"window":{"start":');
      writeCell(to, start, batch.columns, position);
      to.utf8(',"end":');
      writeCell(to, end, batch.columns, position);
      to.utf8('}');
    }
    to.utf8(',"value":');
    const isNull =
      batch.op?.[position] === Op.Delete ||
      (batch.valueNull !== null && bitAt(batch.valueNull, position));
    if (isNull) to.utf8('null');
    else writeObject(to, this.#values, batch.columns, position);
    to.utf8(`,"rowtime":${batch.rowtime[position] ?? 0}}\n`);
  }
}

function writeObject(
  to: ByteWriter,
  cells: readonly Cell[],
  columns: readonly Column[],
  position: number,
): void {
  to.utf8('{');
  cells.forEach((cell, index) => {
    if (index > 0) to.u8(COMMA);
    writeJsonString(to, cell.column.name);
    to.utf8(':');
    writeCell(to, cell, columns, position);
  });
  to.utf8('}');
}

function writeCell(
  to: ByteWriter,
  { column, at }: Cell,
  columns: readonly Column[],
  position: number,
): void {
  const values = columns[at];
  writeJson(to, column.type, values === undefined ? null : valueAt(values, position));
}
