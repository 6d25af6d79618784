// Values of a type that the kernel has no columns of: it gives the JSON that they are written in, of which each text is decoded once; knows no kernel.

import { RecordError } from '../base/errors.ts';
import { DECODED_VALUES_MAX } from '../base/limits.ts';
import { bitAt, type Bitmap, type Column } from '../data/column.ts';
import { JsonScanner } from '../data/json-scanner.ts';
import type { Type, Value } from '../data/type.ts';
import { VALUE_CODES } from '../data/value-codes.ts';
import { RARER_FORMATS } from '../formats/parts.ts';

/** Texts of a column as the kernel knows them: by number, and by code in the open chunk. */
export interface ChunkTexts {
  /** In which the kernel has given these numbers. */
  readonly generation: number;
  /** All texts, one after the other. */
  readonly bytes: Uint8Array;
  /** By number where each ends. */
  readonly ends: Uint32Array;
  /** By code the number. */
  readonly numbers: Uint32Array;
}

/** What is no value of the type: its record is for the format's own decoder, which says why. */
const REFUSED = Symbol('refused');

/** Of one column. The first DECODED_VALUES_MAX that the kernel has numbered stay from chunk to chunk. */
export class AnyValues {
  readonly #type: Type;
  readonly #scanner = new JsonScanner();
  #generation = -1;
  /** By number of the text. */
  #known: (Value | typeof REFUSED)[] = [];
  /** By code in the open chunk. */
  #chunk: (Value | typeof REFUSED)[] = [];

  constructor(type: Type) {
    this.#type = type;
  }

  /**
   * Decodes the texts of a chunk.
   * @returns whether each is a value of the type
   */
  decode({ generation, bytes, ends, numbers }: ChunkTexts): boolean {
    if (generation !== this.#generation) this.#known = [];
    this.#generation = generation;
    const known = this.#known;
    const chunk: (Value | typeof REFUSED)[] = [];
    let isGood = true;
    for (let code = 0; code < numbers.length; code++) {
      const number = numbers[code] as number;
      let value = known[number];
      if (value === undefined) {
        const from = number === 0 ? 0 : (ends[number - 1] as number);
        value = this.#valueOf(bytes, from, ends[number] as number);
        // New numbers come one after the other.
        if (number === known.length && number < DECODED_VALUES_MAX) known.push(value);
      }
      if (value === REFUSED) isGood = false;
      chunk.push(value);
    }
    this.#chunk = chunk;
    return isGood;
  }

  #valueOf(bytes: Uint8Array, from: number, to: number): Value | typeof REFUSED {
    const scanner = this.#scanner;
    scanner.open(bytes, from, to);
    try {
      return RARER_FORMATS.code.readJson(scanner, this.#type);
    } catch (thrown) {
      if (thrown instanceof RecordError) return REFUSED;
      throw thrown;
    }
  }

  /** Whether the text of that code is none of the type. */
  isRefused(code: number): boolean {
    return this.#chunk[code] === REFUSED;
  }

  /** The column of the chunk. @param codes of rows that were declined are any */
  column(codes: Uint32Array, validity: Bitmap | null): Column {
    const chunk = this.#chunk;
    const values: Value[] = [];
    for (let row = 0; row < codes.length; row++) {
      const value = chunk[codes[row] as number];
      const isNull = validity !== null && !bitAt(validity, row);
      values.push(isNull || value === undefined || value === REFUSED ? null : value);
    }
    VALUE_CODES.set(values, { codes: codes.slice(), size: chunk.length });
    return { type: this.#type, validity, storage: 'objects', values };
  }
}
