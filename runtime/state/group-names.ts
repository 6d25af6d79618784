// What groups are called in memory, and by which key bytes the store knows them; knows no id.

import { existing } from '../base/assert.ts';
import type { ByteWriter } from '../base/bytes.ts';
import type { Batch } from '../data/batch.ts';
import { bitAt, type Column, isNull } from '../data/column.ts';
import { writeKey, writeTextKey } from '../data/key-writer.ts';
import { columnsWithRole, type Schema, type SchemaColumn } from '../data/schema.ts';
import type { Type } from '../data/type.ts';

/**
 * What a group is called in memory: the UTF-8 of its key where that is one STRING column, so that a dictionary's entries are
 * looked up as they stand; else its key bytes (data/key.ts).
 */
export class GroupNames {
  readonly positions: readonly number[];
  /** Of the key columns. */
  readonly types: readonly Type[];
  readonly isText: boolean;

  /** @param input whose key columns are the group's key */
  constructor(input: Schema) {
    this.positions = columnsWithRole(input, 'key');
    this.types = this.positions.map((position) => (input.columns[position] as SchemaColumn).type);
    this.isText = this.types.length === 1 && this.types[0]?.kind === 'STRING';
  }

  /** The key columns of a batch. */
  columns(batch: Batch): Column[] {
    return this.positions.map((position) => existing(batch.columns[position], 'column'));
  }

  /** Appends the name of the row at a position, whose key is not null. */
  write(to: ByteWriter, columns: readonly Column[], position: number): void {
    const [first] = columns;
    if (!this.isText || first === undefined) writeKey(to, columns, position);
    else if (first.storage === 'objects') to.utf8(first.values[position] as string);
    else if (first.storage === 'dictionary') {
      const { bytes, offsets } = first.dictionary;
      const code = first.values[position] as number;
      to.bytes(bytes, offsets[code], offsets[code + 1]);
    }
  }

  /** Appends the key bytes of a name. */
  writeKey(to: ByteWriter, name: Uint8Array): void {
    if (this.isText) writeTextKey(to, name);
    else to.bytes(name);
  }

  /** True when the row has no group: its record's key is null, or all its key columns are. */
  isMissing(batch: Batch, columns: readonly Column[], position: number): boolean {
    if (batch.keyNull !== null && bitAt(batch.keyNull, position)) return true;
    for (let i = 0; i < columns.length; i++) {
      if (!isNull(columns[i] as Column, position)) return false;
    }
    return true;
  }
}
