// Rows of a batch as JSON arrays with exact digits: what query routes send; knows no route.

import { compareBytes } from '../runtime/base/byte-arrays.ts';
import { ByteWriter, decodeUtf8 } from '../runtime/base/bytes.ts';
import { ANSWER_FIRST_PART_LENGTH_MAX, ANSWER_PART_LENGTH_MAX } from '../runtime/base/limits.ts';
import { type Batch, Op, positionOf } from '../runtime/data/batch.ts';
import { valueAt } from '../runtime/data/column.ts';
import { CLOSE_BRACKET, OPEN_BRACKET } from '../runtime/data/json-scanner.ts';
import { writeJson } from '../runtime/data/json-text.ts';
import { schemaText } from '../runtime/data/schema-text.ts';
import type { QueryRows } from '../runtime/engine/query-rows.ts';

const COMMA = 0x2c;
const LINE_FEED = 0x0a;

/** One row: its columns as one JSON array, and whether it deletes its key. */
export interface RowText {
  readonly columns: string;
  readonly isDelete: boolean;
}

/** Rows of one partition's answer to a pull query. */
export interface PulledRows {
  /** Each as one JSON array: lines of one text, which is handed over in one piece. */
  readonly lines: string;
  /** With ORDER BY the rows of all partitions stand in the order of these bytes; null without. */
  readonly order: readonly Uint8Array[] | null;
}

export function rowTexts(batch: Batch): RowText[] {
  const { op } = batch;
  return rowsOf(rowLines([batch])).map((columns, i) => ({
    columns,
    isDelete: op?.[positionOf(batch, i)] === Op.Delete,
  }));
}

/** All rows as JSON arrays, a line each. Decoded at once: a call a row would cost more than what is written. */
export function rowLines(batches: readonly Batch[]): string {
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
  return decodeUtf8(to.buffer, 0, to.position);
}

/** The rows of all partitions in the order of the answer, each as one JSON array. */
export function mergedRows(answers: readonly PulledRows[]): string[] {
  const rows = answers.flatMap(({ lines }) => rowsOf(lines));
  const orders = answers.flatMap(({ order }) => order ?? []);
  if (orders.length === 0) return rows;
  const none = new Uint8Array(0);
  return Array.from(rows, (row, i) => ({ row, order: orders[i] ?? none }))
    .sort((a, b) => compareBytes(a.order, b.order))
    .map(({ row }) => row);
}

function rowsOf(lines: string): string[] {
  return lines === '' ? [] : lines.split('\n');
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
