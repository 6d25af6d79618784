// Decodes fields of STRUCT columns without the others: the struct is read as if it had no other fields, and parted; knows no topic.

import { InvariantError } from '../base/errors.ts';
import { ColumnBuilder } from '../data/builder.ts';
import type { Column } from '../data/column.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Field, Type, Value } from '../data/type.ts';
import { jsonDecoder } from './json-decoder.ts';
import type { Decoder } from './serde.ts';

/** A column that is a member of the record: read as it is, or for some of its fields. */
interface Member {
  readonly column: SchemaColumn;
  /** null: the column itself is wanted, which is column `at`. */
  readonly fields: readonly Leaf[] | null;
  readonly at: number;
}

/** A field that is wanted: where it stands in the value of its member, and which column it is. */
interface Leaf {
  readonly places: readonly number[];
  readonly at: number;
}

/** A decoder of columns some of which are fields; what is wrong with one it says as of the whole column. */
export class FieldsDecoder implements Decoder {
  readonly #members: readonly Member[];
  readonly #inner: Decoder;
  #into: readonly ColumnBuilder[] = [];
  /** By member; of `#into`. */
  #builders: readonly ColumnBuilder[] = [];

  /** @param columns that are wanted */
  constructor(columns: readonly SchemaColumn[]) {
    this.#members = membersOf(columns);
    const read = this.#members.map(({ column }) => column);
    this.#inner = jsonDecoder(
      read,
      read.map((_, index) => index),
      true,
    );
  }

  decode(bytes: Uint8Array, from: number, to: number, into: readonly ColumnBuilder[]): boolean {
    if (this.#into !== into) {
      this.#into = into;
      this.#builders = this.#members.map(({ column, fields, at }) =>
        fields === null
          ? (into[at] as ColumnBuilder)
          : new FieldsBuilder(column.type, fields, into),
      );
    }
    // What is rolled back is rolled back in the columns, not here.
    for (const builder of this.#builders)
      if (builder instanceof FieldsBuilder) builder.length = builder.rows;
    return this.#inner.decode(bytes, from, to, this.#builders);
  }
}

function membersOf(columns: readonly SchemaColumn[]): Member[] {
  const names = new Set(columns.map(({ name, path }) => path?.[0] ?? name));
  return [...names].map((name): Member => {
    const found = columns.flatMap((column, at) => {
      const path = column.path ?? [column.name];
      return path[0] === name ? [{ column, path, at }] : [];
    });
    const [first] = found;
    if (first === undefined) throw new InvariantError('a member has a column');
    if (first.column.path === undefined)
      return { column: first.column, fields: null, at: first.at };
    const inner = found.map(({ column, path }) => ({ path: path.slice(1), type: column.type }));
    const type = structOf(inner);
    return {
      column: { name, type, role: 'value' },
      fields: found.map(({ path, at }) => ({ places: placesOf(type, path.slice(1)), at })),
      at: first.at,
    };
  });
}

/** The STRUCT that has these fields and no others. */
function structOf(
  leaves: readonly { readonly path: readonly string[]; readonly type: Type }[],
): Type {
  const names = new Set(leaves.map(({ path }) => path[0] as string));
  const fields = [...names].map((name): Field => {
    const own = leaves.filter(({ path }) => path[0] === name);
    const [first] = own;
    const inner = own.map(({ path, type }) => ({ path: path.slice(1), type }));
    return { name, type: first?.path.length === 1 ? first.type : structOf(inner) };
  });
  return { kind: 'STRUCT', fields };
}

function placesOf(type: Type, [name, ...rest]: readonly string[]): number[] {
  if (name === undefined || type.kind !== 'STRUCT') return [];
  const place = type.fields.findIndex((field) => field.name === name);
  return [place, ...placesOf((type.fields[place] as Field).type, rest)];
}

/** Takes the values of a struct apart; a null has nulls for fields. */
class FieldsBuilder extends ColumnBuilder {
  readonly #fields: readonly Leaf[];
  readonly #into: readonly ColumnBuilder[];

  constructor(type: Type, fields: readonly Leaf[], into: readonly ColumnBuilder[]) {
    super(type);
    this.#fields = fields;
    this.#into = into;
  }

  /** Rows that its columns have. */
  get rows(): number {
    return this.#into[this.#fields[0]?.at ?? 0]?.length ?? 0;
  }

  override append(value: Value): void {
    for (const { places, at } of this.#fields) {
      let part = value;
      for (const place of places) part = (part as readonly Value[] | null)?.[place] ?? null;
      this.#into[at]?.append(part);
    }
    this.length++;
  }

  override appendNull(): void {
    this.append(null);
  }

  override truncate(length: number): void {
    for (const { at } of this.#fields) this.#into[at]?.truncate(length);
    this.length = length;
  }

  protected appendZero(): void {
    this.append(null);
  }

  protected take(): Column {
    throw new InvariantError('the fields are columns, the struct is none');
  }
}
