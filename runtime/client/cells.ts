// Values of an answer from JSON text, by their types and with all their digits; knows no query.

import { decodeBase64 } from '../base/base64.ts';
import { PortError } from '../base/errors.ts';
import type { PublicOptions, PublicRow, PublicValue } from '../data/row.ts';
import type { Type } from '../data/type.ts';

/** Rows that came together. */
export interface RowsMessage {
  readonly rows: readonly PublicValue[][];
  /** Positions in `rows` of those that delete their key. */
  readonly deleted: ReadonlySet<number>;
  /** The place behind them, where the message says it. */
  readonly token: string | null;
}

/** Reads JSON text from left to right. @throws {PortError} CORRUPT where the text is not what the types say */
export class CellReader {
  readonly #text: string;
  readonly #options: PublicOptions;
  #at = 0;

  constructor(text: string, options: PublicOptions) {
    this.#text = text;
    this.#options = options;
  }

  /** A row: an array with one value for each type. */
  #row(types: readonly Type[]): PublicValue[] {
    const values: PublicValue[] = [];
    this.#expect('[');
    types.forEach((type, i) => {
      if (i > 0) this.#expect(',');
      values.push(this.#value(type));
    });
    this.#expect(']');
    return values;
  }

  /** A message of rows: an object with `rows` and, where there are such, `deleted`, their positions, and `token`. */
  message(types: readonly Type[]): RowsMessage {
    let rows: PublicValue[][] = [];
    let deleted: number[] = [];
    let token: string | null = null;
    this.#list('{', '}', () => {
      const name = this.#string();
      this.#expect(':');
      if (name === 'rows') rows = this.#list('[', ']', () => this.#row(types));
      else if (name === 'deleted') deleted = this.#list('[', ']', () => Number(this.#number()));
      else if (name === 'token') token = this.#string();
      else if (this.#peek() === '"') this.#string();
      else this.#number();
    });
    this.#end();
    return { rows, deleted: new Set(deleted), token };
  }

  #value(type: Type): PublicValue {
    if (this.#peek() === 'n') {
      this.#word('null');
      return null;
    }
    switch (type.kind) {
      case 'BOOLEAN':
        if (this.#peek() === 't') return this.#word('true');
        this.#word('false');
        return false;
      case 'BIGINT':
        return this.#bigint(this.#number());
      case 'DECIMAL':
        return this.#number();
      case 'STRING':
        return this.#string();
      case 'BYTES':
        return decodeBase64(this.#string()) ?? this.#fail('base64');
      case 'DOUBLE':
        // What JSON has no number for is text.
        return Number(this.#peek() === '"' ? this.#string() : this.#number());
      case 'INTEGER':
      case 'DATE':
      case 'TIME':
      case 'TIMESTAMP':
        return Number(this.#number());
      case 'ARRAY':
        return this.#list('[', ']', () => this.#value(type.item));
      case 'MAP':
        return new Map(
          this.#list('{', '}', () => [this.#mapKey(type.key), this.#member(type.value)] as const),
        );
      case 'STRUCT':
        return this.#struct(type);
    }
  }

  /** Refuses what follows the value. */
  #end(): void {
    if (this.#peek() !== '') this.#fail('the end');
  }

  #struct(type: Type & { readonly kind: 'STRUCT' }): PublicRow {
    const fields = Object.create(null) as PublicRow;
    this.#list('{', '}', () => {
      const name = this.#string();
      const field = type.fields.find((one) => one.name === name) ?? this.#fail('a known field');
      fields[name] = this.#member(field.type);
    });
    return fields;
  }

  #mapKey(type: Type): PublicValue {
    const text = this.#string();
    return type.kind === 'STRING' ? text : new CellReader(text, this.#options).#value(type);
  }

  #member(type: Type): PublicValue {
    this.#expect(':');
    return this.#value(type);
  }

  #list<T>(open: string, close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#expect(open);
    if (this.#peek() !== close) {
      items.push(item());
      while (this.#peek() === ',') {
        this.#at++;
        items.push(item());
      }
    }
    this.#expect(close);
    return items;
  }

  #bigint(digits: string): number | bigint {
    if (this.#options.bigint === 'bigint') return BigInt(digits);
    const number = Number(digits);
    return Number.isSafeInteger(number) ? number : BigInt(digits);
  }

  /** The text of a number. */
  #number(): string {
    this.#peek();
    NUMBER.lastIndex = this.#at;
    const [found = ''] = NUMBER.exec(this.#text) ?? [];
    if (found === '') this.#fail('a number');
    this.#at += found.length;
    return found;
  }

  #string(): string {
    if (this.#peek() !== '"') this.#fail('text');
    const from = this.#at;
    let end = this.#text.indexOf('"', from + 1);
    while (end > 0 && isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) this.#fail('the end of a text');
    this.#at = end + 1;
    const inner = this.#text.slice(from + 1, end);
    return inner.includes('\\') ? String(JSON.parse(`"${inner}"`)) : inner;
  }

  #word(word: string): true {
    if (!this.#text.startsWith(word, this.#at)) this.#fail(word);
    this.#at += word.length;
    return true;
  }

  /** The next character that is no space, '' at the end. */
  #peek(): string {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++;
    return this.#text.charAt(this.#at);
  }

  #expect(character: string): void {
    if (this.#peek() !== character) this.#fail(`'${character}'`);
    this.#at++;
  }

  #fail(wanted: string): never {
    const found = this.#text.slice(this.#at, this.#at + 20);
    throw new PortError('CORRUPT', `a row has '${found}' at ${this.#at}, where ${wanted} is due`);
  }
}

const NUMBER = /-?[0-9][0-9.eE+-]*/y;

/** Whether an odd number of backslashes stands before. */
function isEscaped(text: string, at: number): boolean {
  let i = at - 1;
  while (text.charCodeAt(i) === 0x5c) i--;
  return (at - i) % 2 === 0;
}
