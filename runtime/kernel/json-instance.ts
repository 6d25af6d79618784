// The kernel's JSON decoder as record bytes in and columns out, over a bounded memory of its own; knows no topic and no error.

import { assert } from '../base/assert.ts';
import { JSON_MEMORY_BYTES_MAX } from '../base/limits.ts';
import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts';
import { bitAt, type Bitmap, type Column } from '../data/column.ts';
import { type Dictionary, WholeDictionary } from '../data/dictionary.ts';
import { FamilyDictionary, TextFamily } from '../data/text-family.ts';
import { AnyValues } from './any-values.ts';
import { ANY, columnNamed, type DecodedColumn, type DecodedNode, nodesOf } from './json-nodes.ts';
import { granted, instantiate, type KernelExports } from './exports.ts';
import {
  JSON_BUFFER_CONFIG,
  JSON_BUFFER_LENGTHS,
  JSON_BUFFER_REGION,
  JSON_BUFFER_RESULT,
  JSON_BUFFER_STATUS,
  JSON_BUFFER_TEXT,
  JSON_BUFFER_TEXT_ENDS,
  JSON_BUFFER_TEXT_ENTRIES,
  JSON_BUFFER_VALIDITY,
  JSON_BUFFER_VALUES,
  JSON_CONFIG_BYTES,
  JSON_CONFIG_COLUMNS,
  JSON_CONFIG_NAME_LENGTHS,
  JSON_CONFIG_NAMES,
  JSON_CONFIG_PARENTS,
  JSON_CONFIG_TYPES,
  JSON_DECLINED_KIND,
  JSON_LENGTH_LONG,
  JSON_OK,
  JSON_REGION_BYTES_MAX,
  JSON_RESULT_BYTES,
  JSON_RESULT_ENTRIES,
  JSON_RESULT_GENERATIONS,
  JSON_RESULT_NAME,
  JSON_RESULT_NAME_LENGTH,
  JSON_RESULT_NAME_PARENT,
  JSON_RESULT_NULLS,
  JSON_RESULT_STATUSES,
  JSON_RESULT_TEXTS,
  JSON_ROWS_MAX,
  JSON_TYPE_ANY,
  JSON_TYPE_BIGINT,
  JSON_TYPE_BOOLEAN,
  JSON_TYPE_DOUBLE,
  JSON_TYPE_INTEGER,
  JSON_TYPE_STRING,
  JSON_TYPE_STRUCT,
  JSON_TYPE_TIME,
  JSON_TYPE_TIMESTAMP,
} from './json-abi.ts';

/** By kind of a type its number in the kernel, and how a column of it is stored; a STRUCT has no values. */
const TYPES = {
  DOUBLE: [JSON_TYPE_DOUBLE, 'f64', Float64Array],
  BIGINT: [JSON_TYPE_BIGINT, 'i64', BigInt64Array],
  INTEGER: [JSON_TYPE_INTEGER, 'i32', Int32Array],
  DATE: [JSON_TYPE_INTEGER, 'i32', Int32Array],
  TIME: [JSON_TYPE_TIME, 'i32', Int32Array],
  TIMESTAMP: [JSON_TYPE_TIMESTAMP, 'f64', Float64Array],
  BOOLEAN: [JSON_TYPE_BOOLEAN, 'u8', Uint8Array],
  STRING: [JSON_TYPE_STRING, 'dictionary', Uint32Array],
  STRUCT: [JSON_TYPE_STRUCT],
  [ANY]: [JSON_TYPE_ANY, 'objects', Uint32Array],
} as const;

type Kind = keyof typeof TYPES;

/**
 * Decodes chunks of at most JSON_ROWS_MAX records: `decode`, then `intern` for what was decoded elsewhere, then `columns`.
 * A record is either decided, its row being exactly what formats/json-decoder.ts makes of it, or declined: then its row is
 * unspecified and somebody else decodes it. Cost: copies the records in and the columns out.
 */
export class JsonKernel {
  readonly #calls: KernelExports;
  readonly #memory: WebAssembly.Memory;
  readonly #columns: readonly DecodedColumn[];
  readonly #nodes: readonly DecodedNode[];
  /** By column its number among the nodes, which the kernel knows it by. */
  readonly #numbers: readonly number[];
  readonly #texts: (TextFamily | undefined)[] = [];
  /** By number of a node that is ANY. */
  readonly #any = new Map<number, AnyValues>();
  readonly #firstBytes: number;
  #rows = 0;

  /**
   * @param columns what formats/json-kernel.ts admits
   * @param begun says in which format the records are; absent: JSON
   * @throws {LimitError} when the memory does not hold the buffers
   */
  constructor(
    module: WebAssembly.Module,
    columns: readonly DecodedColumn[],
    memoryBytesMax: number = JSON_MEMORY_BYTES_MAX,
    begun?: (calls: KernelExports) => void,
  ) {
    const { calls, memory } = instantiate(module, memoryBytesMax);
    this.#calls = calls;
    this.#memory = memory;
    this.#columns = columns;
    const { nodes, numbers } = nodesOf(columns);
    this.#nodes = nodes;
    this.#numbers = numbers;
    columns.forEach(({ type }, given) => {
      const index = numbers[given] as number;
      if (nodes[index]?.kind === ANY) this.#any.set(index, new AnyValues(type));
    });
    const address = calls.jsonBuffer(JSON_BUFFER_CONFIG, 0) >>> 0;
    const config = new DataView(memory.buffer, address, JSON_CONFIG_BYTES);
    config.setUint32(JSON_CONFIG_COLUMNS, nodes.length, true);
    let at = JSON_CONFIG_NAMES;
    nodes.forEach(({ name, kind, parent }, index) => {
      const utf8 = encodeUtf8(name);
      config.setUint32(JSON_CONFIG_TYPES + index * 4, TYPES[kind as Kind][0], true);
      config.setUint32(JSON_CONFIG_PARENTS + index * 4, parent, true);
      config.setUint32(JSON_CONFIG_NAME_LENGTHS + index * 4, utf8.length, true);
      new Uint8Array(memory.buffer, address + at, utf8.length).set(utf8);
      at += utf8.length;
    });
    granted(calls.jsonInit());
    begun?.(calls);
    this.#firstBytes = memory.buffer.byteLength;
  }

  /** Bytes by which its memory has grown since it was made. */
  get grownBytes(): number {
    return this.#memory.buffer.byteLength - this.#firstBytes;
  }

  /**
   * Decodes the values that stand one after the other in `bytes` from `from` on; a length of -1 is a null value.
   * @returns a status per record (JSON_OK, JSON_NULL, else declined) as a view that is good until the next chunk
   */
  decode(bytes: Uint8Array, from: number, lengths: Int32Array): Uint8Array {
    const rows = lengths.length;
    assert(rows <= JSON_ROWS_MAX, 'a chunk has at most JSON_ROWS_MAX records');
    const calls = this.#calls;
    granted(calls.jsonBegin(rows));
    this.#rows = rows;
    let at = from;
    for (let row = 0; row < rows;) {
      const first = row;
      let size = 0;
      let next = 0;
      for (; row < rows; row++) {
        next = lengths[row] as number;
        if (size + next > JSON_REGION_BYTES_MAX) break;
        if (next > 0) size += next;
      }
      // Taken anew each time: decoding may have grown the memory, which detaches views.
      this.#bytes(JSON_BUFFER_REGION, 0, size).set(bytes.subarray(at, at + size));
      at += size;
      const into = this.#words(JSON_BUFFER_LENGTHS, 0, JSON_ROWS_MAX);
      into.set(lengths.subarray(first, row));
      let count = row - first;
      if (next > JSON_REGION_BYTES_MAX) {
        into[count++] = JSON_LENGTH_LONG;
        at += next;
        row++;
      }
      granted(calls.jsonDecode(count));
      this.#learn();
    }
    for (const [index, values] of this.#any) this.#decodeAny(index, values);
    return this.#bytes(JSON_BUFFER_STATUS, 0, rows);
  }

  /** Declines the rows whose text is no value of the column's type. */
  #decodeAny(index: number, values: AnyValues): void {
    const result = this.#result;
    const count = result[(JSON_RESULT_TEXTS >> 2) + index] as number;
    const entries = result[(JSON_RESULT_ENTRIES >> 2) + index] as number;
    const ends = this.#words(JSON_BUFFER_TEXT_ENDS, index, entries);
    const isGood = values.decode({
      generation: result[(JSON_RESULT_GENERATIONS >> 2) + index] as number,
      bytes: this.#bytes(JSON_BUFFER_TEXT, index, ends[entries - 1] ?? 0),
      ends,
      numbers: this.#words(JSON_BUFFER_TEXT_ENTRIES, index, count),
    });
    if (isGood) return;
    const statuses = this.#bytes(JSON_BUFFER_STATUS, 0, this.#rows);
    const codes = this.#words(JSON_BUFFER_VALUES, index, this.#rows);
    const validity = this.#validity(index);
    const counts = this.counts();
    for (let row = 0; row < codes.length; row++) {
      if (statuses[row] !== JSON_OK || !bitAt(validity, row)) continue;
      if (!values.isRefused(codes[row] as number)) continue;
      statuses[row] = JSON_DECLINED_KIND;
      (counts[JSON_OK] as number)--;
      (counts[JSON_DECLINED_KIND] as number)++;
    }
  }

  /** Tells the meaning of a name that the kernel has declined to read. */
  #learn(): void {
    const result = this.#result;
    const length = result[JSON_RESULT_NAME_LENGTH >> 2] as number;
    if (length === 0) return;
    const at = result[JSON_RESULT_NAME >> 2] as number;
    const region = this.#bytes(JSON_BUFFER_REGION, 0, JSON_REGION_BYTES_MAX);
    const name = JSON.parse(`"${decodeUtf8(region, at, at + length)}"`) as string;
    region.copyWithin(0, at, at + length);
    const parent = result[JSON_RESULT_NAME_PARENT >> 2] as number;
    granted(this.#calls.jsonLearn(length, columnNamed(this.#nodes, parent, name), parent));
  }

  /** Records of the chunk by status. */
  counts(): Uint32Array {
    return this.#result.subarray(JSON_RESULT_STATUSES >> 2, JSON_RESULT_NAME >> 2);
  }

  /** The code, in this chunk, of a text decoded elsewhere; -1 when there is no room for it, and then it is none of the chunk's texts. */
  intern(column: number, utf8: Uint8Array): number {
    if (utf8.length > JSON_REGION_BYTES_MAX) return -1;
    this.#bytes(JSON_BUFFER_REGION, 0, utf8.length).set(utf8);
    return this.#calls.jsonIntern(this.#numbers[column] as number, utf8.length);
  }

  get #result(): Uint32Array {
    return this.#words(JSON_BUFFER_RESULT, 0, JSON_RESULT_BYTES >> 2);
  }

  /** The columns, which the caller may complete, copies but for those that are lent; ends the chunk. */
  columns(): Column[] {
    granted(this.#calls.jsonFinish());
    const result = this.#result;
    return this.#columns.map(({ type, isLent }, given) => {
      const index = this.#numbers[given] as number;
      const any = this.#any.get(index);
      const at = this.#calls.jsonBuffer(JSON_BUFFER_VALUES, index) >>> 0;
      const kind = this.#nodes[index]?.kind;
      const [, storage, Values] = TYPES[kind as Exclude<Kind, 'STRUCT'>];
      const view = new Values(this.#memory.buffer, at, this.#rows);
      const nulls = result[(JSON_RESULT_NULLS >> 2) + index] as number;
      const validity = nulls === 0 ? null : this.#validity(index);
      if (any !== undefined) return any.column(view as Uint32Array, validity);
      // Copied by its constructor: `slice` fills a copy with zeros before.
      const values = isLent ? view : new Values(view as never);
      const column = { type, validity, storage, values };
      return (
        storage === 'dictionary'
          ? { ...column, dictionary: this.#dictionary(index, result) }
          : column
      ) as Column;
    });
  }

  #dictionary(index: number, result: Uint32Array): Dictionary {
    const count = result[(JSON_RESULT_TEXTS >> 2) + index] as number;
    // A column of nulls still has an entry for its zero codes to point at.
    if (count === 0) return new WholeDictionary(new Uint8Array(0), new Uint32Array(2));
    const generation = result[(JSON_RESULT_GENERATIONS >> 2) + index] as number;
    let texts = this.#texts[index];
    if (texts?.generation !== generation) this.#texts[index] = texts = new TextFamily(generation);
    const entries = result[(JSON_RESULT_ENTRIES >> 2) + index] as number;
    if (entries > texts.size) {
      const ends = this.#words(JSON_BUFFER_TEXT_ENDS, index, entries);
      texts.extend(this.#bytes(JSON_BUFFER_TEXT, index, ends[entries - 1] as number), ends);
    }
    const numbers = this.#words(JSON_BUFFER_TEXT_ENTRIES, index, count);
    return new FamilyDictionary(texts, new Uint32Array(numbers));
  }

  /** One bit a row, those behind the last one clear. */
  #validity(index: number): Bitmap {
    const rows = this.#rows;
    const bits = this.#bytes(JSON_BUFFER_VALIDITY, index, (rows + 7) >> 3).slice();
    const last = bits.length - 1;
    if ((rows & 7) !== 0) bits[last] = (bits[last] as number) & ((1 << (rows & 7)) - 1);
    return bits;
  }

  #bytes(kind: number, index: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#calls.jsonBuffer(kind, index) >>> 0, length);
  }

  #words(kind: number, index: number, length: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, this.#calls.jsonBuffer(kind, index) >>> 0, length);
  }
}
