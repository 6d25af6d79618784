// Texts and values in the kernel's dictionary where they do not come as one dictionary that is new to it; knows no group.

import { ByteWriter } from '../base/bytes.ts';
import { grown } from '../base/grown.ts';
import { type Batch, positionOf } from '../data/batch.ts';
import { bitAt, type Column } from '../data/column.ts';
import type { KnownEntries } from '../data/dictionary.ts';
import { writeKey } from '../data/key-writer.ts';
import { type Kernel, NULL_GROUP } from '../kernel/instance.ts';
import type { GroupNames } from '../state/group-names.ts';
import type { EntryIds } from './kernel-pieces.ts';

/** The ids of entries that come again in dictionaries of one family, by their numbers. */
export class FamilyIds {
  readonly family: KnownEntries['family'];
  readonly #kernel: Kernel;
  /** Ids plus one, so that 0 says that nothing is known. Signed, which a loop takes as whole numbers at once. */
  #idsByNumber = new Int32Array(0);
  #ids = new Uint32Array(0);

  constructor(family: KnownEntries['family'], kernel: Kernel) {
    this.family = family;
    this.#kernel = kernel;
  }

  /** The ids of the entries with these numbers, good until the next call. @throws {LimitError} when the kernel has no room for one */
  of(numbers: Uint32Array): Uint32Array {
    const size = numbers.length;
    if (this.#ids.length < size) this.#ids = new Uint32Array(size);
    const ids = this.#ids.subarray(0, size);
    const entries = this.family.size;
    if (entries > this.#idsByNumber.length)
      this.#idsByNumber = grown(this.#idsByNumber, entries * 2);
    const byNumber = this.#idsByNumber;
    let least = 0;
    for (let code = 0; code < size; code++) {
      const id = (byNumber[numbers[code] as number] as number) - 1;
      least |= id;
      ids[code] = id;
    }
    if (least < 0) {
      const fresh: number[] = [];
      for (let code = 0; code < size; code++)
        if (byNumber[numbers[code] as number] === 0) fresh.push(code);
      const learnt = new Uint32Array(fresh.length);
      for (let i = 0; i < fresh.length; i++) learnt[i] = numbers[fresh[i] as number] as number;
      const given = this.#kernel.intern(this.family.gathered(learnt));
      for (let i = 0; i < fresh.length; i++) {
        const id = given[i] as number;
        ids[fresh[i] as number] = id;
        byNumber[learnt[i] as number] = id + 1;
      }
    }
    return ids;
  }
}

/** Written to from its beginning, and read, within a call. */
const scratch = new ByteWriter(1024);

/** What the rows of one STRING column are grouped by. */
export interface TextRows {
  readonly batch: Batch;
  readonly columns: readonly Column[];
  /** The rows' column is a dictionary, to be looked up as a whole; null: not. */
  readonly entries: EntryIds | null;
  readonly names: GroupNames;
}

/** Writes the ids of texts, row by row or by those of their entries. @returns true when rows have none */
export function assignRows(rows: TextRows, kernel: Kernel, ids: Uint32Array): boolean {
  const { batch, columns, entries, names } = rows;
  const [column] = columns as readonly [Column];
  if (entries !== null && column.storage === 'dictionary') {
    entries.bring(column.dictionary);
    return assignChosen(batch, column, kernel.entryIds, ids);
  }
  const { valueNull, length } = batch;
  const isMissing = (position: number): boolean =>
    (valueNull !== null && bitAt(valueNull, position)) || names.isMissing(batch, columns, position);
  const offsets = new Uint32Array(length + 1);
  scratch.truncate(0);
  for (let i = 0; i < length; i++) {
    const position = positionOf(batch, i);
    if (!isMissing(position)) writePiece(scratch, column, position);
    offsets[i + 1] = scratch.position;
  }
  const known = kernel.intern({ bytes: scratch.written(), offsets });
  let hasNulls = false;
  for (let i = 0; i < length; i++) {
    const position = positionOf(batch, i);
    const isNull = isMissing(position);
    ids[position] = isNull ? NULL_GROUP : (known[i] as number);
    if (isNull) hasNulls = true;
  }
  return hasNulls;
}

/** Writes the ids of the rows that are selected, or not null, by those of the entries. @returns true when rows have none */
function assignChosen(
  batch: Batch,
  { validity, values: codes }: Column & { readonly storage: 'dictionary' },
  entryIds: Uint32Array,
  ids: Uint32Array,
): boolean {
  let hasNulls = false;
  for (let i = 0; i < batch.length; i++) {
    const position = positionOf(batch, i);
    const isValid = validity === null || bitAt(validity, position);
    ids[position] = isValid ? (entryIds[codes[position] as number] as number) : NULL_GROUP;
    if (!isValid) hasNulls = true;
  }
  return hasNulls;
}

/** Appends what a value is called in the kernel's dictionary: a text its UTF-8, else the value's key bytes. */
export function writePiece(to: ByteWriter, column: Column, position: number): void {
  if (column.type.kind !== 'STRING') writeKey(to, [column], position);
  else if (column.storage === 'objects') to.utf8(column.values[position] as string);
  else if (column.storage === 'dictionary') {
    const { bytes, offsets } = column.dictionary;
    const code = column.values[position] as number;
    to.bytes(bytes, offsets[code], offsets[code + 1]);
  }
}
