// Builders of columns of rarer types; knows no schema and no format.

import { ArrayColumnBuilder, ColumnBuilder } from './builder.ts';
import type { Bitmap, Column } from './column.ts';
import type { Type, Value } from './type.ts';

/** The builder for columns of BOOLEAN, or of a type whose values are objects. */
export function rarerBuilder(type: Type): ColumnBuilder {
  return type.kind === 'BOOLEAN' ? new BooleanColumnBuilder(type) : new ObjectColumnBuilder(type);
}

class BooleanColumnBuilder extends ArrayColumnBuilder<Uint8Array<ArrayBuffer>> {
  constructor(type: Type) {
    super(type, Uint8Array);
  }

  override appendBoolean(value: boolean): void {
    if (this.length === this.values.length) this.grow();
    this.values[this.length++] = value ? 1 : 0;
  }

  protected appendZero(): void {
    this.appendBoolean(false);
  }

  protected take(rows: number, validity: Bitmap | null): Column {
    return { type: this.type, validity, storage: 'u8', values: this.taken(rows) };
  }
}

class ObjectColumnBuilder extends ColumnBuilder {
  #values: Value[] = [];

  override append(value: Value): void {
    this.#values.push(value);
    this.length++;
  }

  override appendNull(): void {
    this.append(null);
  }

  protected appendZero(): void {
    this.append(null);
  }

  override truncate(length: number): void {
    super.truncate(length);
    this.#values.length = length;
  }

  protected take(): Column {
    const values = this.#values;
    this.#values = [];
    return { type: this.type, validity: null, storage: 'objects', values };
  }
}
