// Rows of a batch as JSON arrays with exact digits: what query routes send; knows no route.

import { existing } from '../runtime/base/assert.ts';
import { compareBytes } from '../runtime/base/byte-arrays.ts';
import { LimitError } from '../runtime/base/errors.ts';
import { ByteWriter, decodeUtf8, encodeUtf8 } from '../runtime/base/bytes.ts';
import {
  ANSWER_FIRST_PART_LENGTH_MAX,
  ANSWER_PART_LENGTH_MAX,
  PULL_BYTES_MAX,
  PULL_ROWS_MAX,
} from '../runtime/base/limits.ts';
import { type Batch, Op, positionOf } from '../runtime/data/batch.ts';
import { valueAt } from '../runtime/data/column.ts';
import { CLOSE_BRACKET, OPEN_BRACKET } from '../runtime/data/json-scanner.ts';
import { writeJson } from '../runtime/data/json-text.ts';
import { schemaText } from '../runtime/data/schema-text.ts';
import { lengthOf, weightOf } from '../runtime/data/value.ts';
import type { PullAnswer } from '../runtime/engine/pull.ts';
import type { AnswerRow } from '../runtime/engine/pull-finish.ts';
import type { QueryRows } from '../runtime/engine/query-rows.ts';

const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const NO_LINES = new Uint8Array(0);

/** One row: its columns as one JSON array, and whether it deletes its key. */
export interface RowText {
  readonly columns: string;
  readonly isDelete: boolean;
}

/** Rows of one partition's answer to a pull query, or of several. */
export interface PulledRows {
  /** Each as one JSON array: lines in UTF-8, which are handed over in one piece. */
  readonly lines: Uint8Array<ArrayBuffer>;
  /** With ORDER BY the rows of all partitions stand in the order of these bytes; null without. */
  readonly order: readonly Uint8Array[] | null;
  /** Bytes of the lines, where they are more than whoever asked has room for: none come then. */
  readonly needed?: number | undefined;
}

export const NO_ROWS: PulledRows = { lines: NO_LINES, order: null };

export function rowTexts(batch: Batch): RowText[] {
  const { op } = batch;
  return rowsOf(decodeUtf8(rowLines([batch]))).map((columns, i) => ({
    columns,
    isDelete: op?.[positionOf(batch, i)] === Op.Delete,
  }));
}

/** All rows as JSON arrays, a line each: a call of the decoder for each row would cost more than what is written. */
function rowLines(batches: readonly Batch[]): Uint8Array<ArrayBuffer> {
  const to = new ByteWriter();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      const position = positionOf(batch, i);
      // Within JSON there is no line feed: strings escape it.
      if (to.position > 0) to.u8(LINE_FEED);
      to.u8(OPEN_BRACKET);
      batch.columns.forEach((column, nth) => {
        if (nth > 0) to.u8(COMMA);
        writeJson(to, column.type, valueAt(column, position));
      });
      to.u8(CLOSE_BRACKET);
    }
  }
  return to.buffer.subarray(0, to.position);
}

/**
 * What refuses the rows of one answer that would be more than twice what it may be, before others come beside them: with ORDER BY so many are held.
 * Of an array that has grown since it was given last only what is new is weighed.
 * @throws {LimitError} PULL_BYTES_MAX
 */
export function refusesHeavy(): (rows: readonly AnswerRow[]) => void {
  let last: readonly AnswerRow[] = [];
  let weighed = 0;
  let weight = 0;
  return (rows) => {
    if (rows !== last) [last, weighed, weight] = [rows, 0, 0];
    for (; weighed < rows.length; weighed++) {
      const { values, order } = existing(rows[weighed], 'row');
      weight += weightOf(values) + order.length;
    }
    if (weight > 2 * PULL_BYTES_MAX) throw tooLong();
  };
}

/**
 * What an object answers to a pull query.
 * @param bytesMax what whoever asks has room for
 * @throws {LimitError} PULL_BYTES_MAX
 */
export function pulledRows(
  { batches, order }: PullAnswer,
  isSorted: boolean,
  bytesMax = PULL_BYTES_MAX,
): PulledRows {
  const made = rowLines(batches);
  const bytes = made.length + (isSorted ? lengthOf(order) : 0);
  refuseTooLong(bytes);
  if (bytes > bytesMax) return { ...NO_ROWS, needed: made.length };
  // Whatever a view is of goes along with it.
  return { lines: made.slice(), order: isSorted ? order : null };
}

/**
 * The first rows of several partitions in the order of the answer, as one of them would give them.
 * @param isAll false: there are others, with which it may become less
 * @throws {LimitError} PULL_ROWS_MAX, PULL_BYTES_MAX
 */
export function mergedRows(
  answers: readonly PulledRows[],
  limit: number | null,
  isAll = true,
): PulledRows {
  const [first, ...more] = answers.filter(({ lines }) => lines.length > 0);
  if (first === undefined) return NO_ROWS;
  // One partition has kept the limits.
  if (more.length === 0) return first;
  const rows = [first, ...more].flatMap(({ lines }) => rowsOf(decodeUtf8(lines)));
  const orders = answers.flatMap(({ order }) => order ?? []);
  const isSorted = orders.length > 0;
  const wanted = (isSorted ? sortedBy(orders) : [...rows.keys()]).slice(0, limit ?? Infinity);
  if (wanted.length > PULL_ROWS_MAX) throw tooMuch('PULL_ROWS_MAX', `${PULL_ROWS_MAX} rows`);
  const lines = encodeUtf8(wanted.map((row) => rows[row]).join('\n'));
  refuseTooLong(isAll ? lines.length : lines.length / 2);
  return { lines, order: isSorted ? wanted.map((row) => existing(orders[row], 'order')) : null };
}

/** The places of all in their order. */
function sortedBy(orders: readonly Uint8Array[]): number[] {
  return Array.from(orders, (order, at) => ({ at, order }))
    .sort((a, b) => compareBytes(a.order, b.order))
    .map(({ at }) => at);
}

/** @throws {LimitError} PULL_BYTES_MAX */
export function refuseTooLong(bytes: number): void {
  if (bytes > PULL_BYTES_MAX) throw tooLong();
}

function tooLong(): LimitError {
  return tooMuch('PULL_BYTES_MAX', `${PULL_BYTES_MAX} bytes`);
}

function tooMuch(limit: string, most: string): LimitError {
  return new LimitError(limit, `more than ${most} answer; add LIMIT, or ask for keys`);
}

function rowsOf(lines: string): string[] {
  return lines === '' ? [] : lines.split('\n');
}

/** Rows that lie as lines until they are taken, a few at a time: a part of a text would hold all of it. */
export class Lines {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next ones, so many bytes and what is left of the last; none: there are no more. */
  next(bytesMin: number): readonly string[] {
    const from = this.#at;
    const found = this.#bytes.indexOf(LINE_FEED, from + bytesMin);
    const to = found < 0 ? this.#bytes.length : found;
    this.#at = to + 1;
    const rows = rowsOf(decodeUtf8(this.#bytes, from, Math.max(from, to)));
    if (this.isOver) this.drop();
    return rows;
  }

  drop(): void {
    this.#bytes = NO_LINES;
  }
}

/**
 * Cuts the rows of one answer into what is sent together. What is cut off on its way comes to nothing, and all of it is waiting when the client
 * asks again: were parts great from the beginning, none would ever pass a connection that is cut often.
 */
export class RowParts {
  #lengthMax = ANSWER_FIRST_PART_LENGTH_MAX;

  /** The first rows from `at` on that are sent together: some, and no more than may be. */
  next(rows: readonly RowText[], at: number, rowsMax: number): readonly RowText[] {
    let end = at + 1;
    let length = rows[at]?.columns.length ?? 0;
    while (end < rows.length && end - at < rowsMax) {
      length += (rows[end]?.columns.length ?? 0) + 1;
      if (length > this.#lengthMax) {
        this.#lengthMax = Math.min(this.#lengthMax * 2, ANSWER_PART_LENGTH_MAX);
        break;
      }
      end += 1;
    }
    return rows.slice(at, end);
  }
}

/** The columns of an answer as SQL; keys are marked in pull queries only. */
export function answerText({ kind, schema }: Pick<QueryRows, 'kind' | 'schema'>): string {
  return schemaText({
    columns: schema.columns.map((column) => {
      const isKey = kind === 'pull' && (column.role === 'key' || column.role === 'window');
      return { ...column, role: isKey ? 'key' : 'value' };
    }),
  });
}
