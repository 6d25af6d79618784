// Decodes one record's JSON straight into column builders: no object is made for flat columns; knows no topic.

import type { ColumnBuilder } from '../data/builder.ts';
import { Interner } from '../data/interner.ts';
import type { SchemaColumn } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import { CLOSE_BRACE, COLON, JsonScanner, OPEN_BRACE, QUOTE } from '../data/json-scanner.ts';
import { beginsNumber, doubleOf, isInRange } from './json-common.ts';
import { RARER_FORMATS } from './parts.ts';
import type { Decoder } from './serde.ts';

/** Bytes before JSON that was written with a schema registry: a zero and the schema's number, which are stepped over. */
const REGISTRY_PREFIX_BYTES = 5;
/** Members of one object whose names are remembered from one record to the next. */
const SHAPE_MEMBERS_MAX = 256;
/** Spellings of names that are remembered, and how long they may be. */
const NAMES_MAX = 1024;
const NAME_BYTES_MAX = 128;
const SKIPPED = -1;

/**
 * A decoder of the wanted columns. Members that are not wanted are checked and stepped over. Records of one stream mostly have
 * the same members in the same order: the names of the last record are tried first, and only a name that differs is looked up.
 */
export function jsonDecoder(
  columns: readonly SchemaColumn[],
  wanted: readonly number[],
  wrap: boolean,
): Decoder {
  const chosen = wanted.map((index) => columns[index]).filter((column) => column !== undefined);
  if (chosen.some(({ path }) => path)) return new RARER_FORMATS.code.FieldsDecoder(chosen);
  return wrap || columns.length !== 1
    ? new ObjectDecoder(chosen)
    : new RARER_FORMATS.code.BareDecoder(chosen);
}

export function open(scanner: JsonScanner, bytes: Uint8Array, from: number, to: number): void {
  const start =
    bytes[from] === 0 && to - from > REGISTRY_PREFIX_BYTES ? from + REGISTRY_PREFIX_BYTES : from;
  scanner.open(bytes, start, to);
}

/** An object with a member per column. */
class ObjectDecoder implements Decoder {
  readonly #columns: readonly SchemaColumn[];
  readonly #types: readonly Type[];
  readonly #scanner = new JsonScanner();
  readonly #names: NameTable;
  /** The names of the members of the last record, in order. */
  readonly #shape: Name[] = [];
  /** Per column the record in which it was found last, times two, plus one when by its very name. */
  readonly #found: Float64Array;
  #record = 0;
  #isExact = false;
  /** The column being read, for messages. */
  #column = SKIPPED;

  constructor(columns: readonly SchemaColumn[]) {
    this.#columns = columns;
    this.#types = columns.map((column) => column.type);
    this.#names = new NameTable(columns.map((column) => column.name));
    this.#found = new Float64Array(columns.length).fill(-1);
  }

  decode(bytes: Uint8Array, from: number, to: number, into: readonly ColumnBuilder[]): boolean {
    const scanner = this.#scanner;
    this.#column = SKIPPED;
    this.#record++;
    try {
      open(scanner, bytes, from, to);
      const byte = scanner.peek();
      if (byte === 0x6e) {
        scanner.word();
        scanner.close();
        for (const builder of into) builder.appendNull();
        return false;
      }
      if (byte !== OPEN_BRACE) RARER_FORMATS.code.refuseRecord(scanner, byte);
      this.#members(scanner, into);
      scanner.close();
    } catch (thrown) {
      throw RARER_FORMATS.code.within(thrown, '$', this.#columns[this.#column]?.name);
    }
    const seen = this.#record * 2;
    for (let i = 0; i < into.length; i++) {
      if ((this.#found[i] as number) < seen) into[i]?.appendNull();
    }
    return true;
  }

  #members(scanner: JsonScanner, into: readonly ColumnBuilder[]): void {
    scanner.enter();
    if (scanner.peek() === CLOSE_BRACE) return scanner.leave();
    let member = 0;
    do {
      if (scanner.peek() !== QUOTE) scanner.unexpected();
      const index = this.#memberColumn(scanner, member++);
      scanner.expect(COLON);
      const mark = this.#record * 2 + (this.#isExact ? 1 : 0);
      // Of two members for one column the later wins, but one of the very name wins over one in other case.
      if (index === SKIPPED || (this.#found[index] as number) > mark) {
        scanner.skip();
        continue;
      }
      const builder = into[index] as ColumnBuilder;
      const type = this.#types[index] as Type;
      if ((this.#found[index] as number) >= this.#record * 2) builder.truncate(builder.length - 1);
      this.#found[index] = mark;
      this.#column = index;
      appendJson(scanner, type, builder);
      this.#column = SKIPPED;
    } while (!scanner.ended(CLOSE_BRACE));
  }

  /** Steps over the name at the cursor and gives its column. */
  #memberColumn(scanner: JsonScanner, member: number): number {
    let name = this.#shape[member];
    if (name === undefined || !scanner.matches(name.quoted)) {
      const from = scanner.position;
      scanner.string();
      name = this.#names.find(scanner, from);
      if (member < SHAPE_MEMBERS_MAX) this.#shape[member] = name;
    }
    this.#isExact = name.isExact;
    return name.column;
  }
}

/** A name as records spell it, and the column it means. */
interface Name {
  /** With its quotes and escapes. */
  readonly quoted: Uint8Array;
  readonly column: number;
  readonly isExact: boolean;
}

/** The columns by name: that very name first, then the upper-cased one. Remembers the spellings that it has met. */
class NameTable {
  readonly #columns = new Map<string, number>();
  #spellings = new Interner();
  /** By the code of the spelling. */
  #met: Name[] = [];

  constructor(names: readonly string[]) {
    names.forEach((name, index) => {
      if (!this.#columns.has(name)) this.#columns.set(name, index);
    });
  }

  /** @param from where the string that the cursor has just scanned began, its quote included */
  find(scanner: JsonScanner, from: number): Name {
    const { bytes, position } = scanner;
    if (position - from > NAME_BYTES_MAX) return this.#nameOf(scanner, from);
    // Data can bring any number of names: the memory is dropped rather than grown.
    if (this.#met.length === NAMES_MAX) {
      this.#spellings = new Interner();
      this.#met = [];
    }
    const code = this.#spellings.intern(bytes, from, position);
    if (code === this.#met.length) this.#met.push(this.#nameOf(scanner, from));
    return this.#met[code] as Name;
  }

  #nameOf(scanner: JsonScanner, from: number): Name {
    const text = scanner.text();
    const exact = this.#columns.get(text);
    return {
      quoted: scanner.bytes.slice(from, scanner.position),
      column: exact ?? this.#columns.get(text.toUpperCase()) ?? SKIPPED,
      isExact: exact !== undefined,
    };
  }
}

/** Appends the value that comes next; the types that most columns have make no value on the way. */
export function appendJson(scanner: JsonScanner, type: Type, to: ColumnBuilder): void {
  const byte = scanner.peek();
  if (byte === 0x6e) {
    scanner.word();
    to.appendNull();
    return;
  }
  switch (type.kind) {
    case 'STRING':
      if (byte === QUOTE) {
        scanner.string();
        if (scanner.escaped) {
          const text = scanner.unescaped();
          to.appendUtf8(text.buffer, 0, text.position);
        } else {
          to.appendUtf8(scanner.bytes, scanner.start, scanner.stop);
        }
      } else {
        to.appendText(RARER_FORMATS.code.readAsText(scanner));
      }
      return;
    case 'DOUBLE':
      if (beginsNumber(byte)) {
        scanner.scanNumber();
        to.appendNumber(doubleOf(scanner));
        return;
      }
      break;
    case 'BIGINT':
      if (beginsNumber(byte)) {
        const at = scanner.position;
        scanner.scanNumber();
        if (scanner.integer && scanner.exact) to.appendNumber(scanner.number);
        else to.append(RARER_FORMATS.code.numberOf(scanner, type, at));
        return;
      }
      break;
    case 'INTEGER':
    case 'TIME':
    case 'DATE':
    case 'TIMESTAMP':
      if (beginsNumber(byte)) {
        const at = scanner.position;
        scanner.scanNumber();
        if (scanner.integer && scanner.exact && isInRange(type.kind, scanner.number)) {
          to.appendNumber(scanner.number);
        } else to.append(RARER_FORMATS.code.numberOf(scanner, type, at));
        return;
      }
      break;
    default:
      break;
  }
  to.append(RARER_FORMATS.code.readJson(scanner, type));
}
