// Decodes fields of STRUCT columns without the others: the struct is read as if it had no other fields, and parted; knows no topic.

import { InvariantError } from '../base/errors.ts';
import { ColumnBuilder } from '../data/builder.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Field, Type, Value } from '../data/type.ts';
import { jsonDecoder } from './json-decoder.ts';
import type { Decoder } from './serde.ts';

/** A column that is wanted: its number, and where it stands in the record as a struct, field by field. */
interface Leaf {
  readonly at: number;
  readonly places: readonly number[];
}

/** A decoder of columns some of which are fields; what is wrong with one it says as of the whole column. */
export class FieldsDecoder implements Decoder {
  readonly #members: readonly SchemaColumn[];
  readonly #leaves: readonly Leaf[];
  readonly #inner: Decoder;
  #into: readonly ColumnBuilder[] = [];
  /** By member; of `#into`. */
  #builders: readonly ColumnBuilder[] = [];

  /** @param columns that are wanted */
  constructor(columns: readonly SchemaColumn[]) {
    const whole = typeOf(columns, 0);
    this.#members = fieldsOf(whole).map((field) => ({ ...field, role: 'value' }));
    this.#leaves = columns.map((column, at) => {
      let type = whole;
      const places = pathOf(column).map((name) => {
        const place = fieldsOf(type).findIndex((field) => field.name === name);
        type = fieldsOf(type)[place]?.type as Type;
        return place;
      });
      return { at, places };
    });
    this.#inner = jsonDecoder(this.#members, [...this.#members.keys()], true);
  }

  decode(bytes: Uint8Array, from: number, to: number, into: readonly ColumnBuilder[]): boolean {
    if (this.#into !== into) {
      this.#into = into;
      this.#builders = this.#members.map(({ type }, member) => {
        const leaves = this.#leaves.filter(({ places }) => places[0] === member);
        const [first] = leaves;
        return first?.places.length === 1
          ? (into[first.at] as ColumnBuilder)
          : new FieldsBuilder(type, leaves, into);
      });
    }
    // What is rolled back is rolled back in the columns, not here.
    for (const builder of this.#builders)
      if (builder instanceof FieldsBuilder) builder.length = into[0]?.length ?? 0;
    return this.#inner.decode(bytes, from, to, this.#builders);
  }
}

function pathOf({ name, path }: SchemaColumn): readonly string[] {
  return path ?? [name];
}

function fieldsOf(type: Type): readonly Field[] {
  return type.kind === 'STRUCT' ? type.fields : [];
}

/** The type of what is so many steps on the way to these columns: a STRUCT of nothing else. */
function typeOf(columns: readonly SchemaColumn[], depth: number): Type {
  const [first] = columns;
  if (first !== undefined && pathOf(first).length === depth) return first.type;
  const names = new Set(columns.map((column) => pathOf(column)[depth] as string));
  const fields = [...names].map((name) => {
    const own = columns.filter((column) => pathOf(column)[depth] === name);
    return { name, type: typeOf(own, depth + 1) };
  });
  return { kind: 'STRUCT', fields };
}

/** Takes the values of a struct apart; a null has nulls for fields. */
class FieldsBuilder extends ColumnBuilder {
  readonly #leaves: readonly Leaf[];
  readonly #into: readonly ColumnBuilder[];

  constructor(type: Type, leaves: readonly Leaf[], into: readonly ColumnBuilder[]) {
    super(type);
    this.#leaves = leaves;
    this.#into = into;
  }

  override append(value: Value): void {
    for (const { places, at } of this.#leaves) {
      let part = value;
      for (let i = 1; i < places.length; i++)
        part = (part as readonly Value[] | null)?.[places[i] as number] ?? null;
      this.#into[at]?.append(part);
    }
    this.length++;
  }

  override appendNull(): void {
    this.append(null);
  }

  override truncate(length: number): void {
    for (const { at } of this.#leaves) this.#into[at]?.truncate(length);
    this.length = length;
  }

  protected appendZero(): void {
    this.append(null);
  }

  protected take(): never {
    throw new InvariantError('the fields are columns, the struct is none');
  }
}
