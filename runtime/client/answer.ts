// What a query's answer is made of, whatever carries it: a header, then rows and an end; knows no connection.

import { PortError } from '../base/errors.ts';
import type { Type } from '../data/type.ts';
import { parseType } from '../data/type-text.ts';
import type { QueryColumn } from '../engine/query-rows.ts';
import { errorOf } from './errors.ts';

/** A query, as it is asked. */
export interface Asked {
  readonly sql: string;
  readonly properties: Readonly<Record<string, string>>;
  /** The place to go on from; null: it begins. */
  readonly token: string | null;
  readonly signal: AbortSignal;
}

/** An answer under way on one connection. */
export interface OpenAnswer {
  readonly header: AnswerHeader;
  /** The next of it. @throws {PortError} UNAVAILABLE when the connection was cut; what ended the query before its last row */
  next(): Promise<AnswerPart>;
  /** A row of what came was read: there is room for another one. */
  taken(): void;
  /** Says that no more is wanted; a `next` that waits then ends. */
  close(): Promise<void>;
}

export interface AnswerHeader {
  /** null for a pull query. */
  readonly queryId: string | null;
  readonly columns: readonly QueryColumn[];
  readonly types: readonly Type[];
  readonly isResumable: boolean;
  /** The place before the first row; null where there is none. */
  readonly token: string | null;
}

export type AnswerPart =
  /** `text` is a JSON object with `rows`, `token` the place behind them where the text does not have it. */
  | { readonly kind: 'rows'; readonly text: string; readonly token: string | null }
  | { readonly kind: 'end'; readonly message: string | null };

interface HeaderText {
  readonly queryId?: string | null | undefined;
  readonly columnNames?: readonly string[] | undefined;
  readonly columnTypes?: readonly string[] | undefined;
  readonly resumable?: boolean | undefined;
}

/** @throws what the edge says instead of a header */
export function headerOf(given: unknown, token: string | null): AnswerHeader {
  const { queryId = null, columnNames, columnTypes, resumable = false } = given as HeaderText;
  if (columnNames === undefined || columnTypes === undefined) throw errorOf(200, given);
  const types = columnTypes.map((type, i) => {
    const parsed = parseType(type);
    if (parsed !== null) return parsed;
    throw new PortError('CORRUPT', `an answer has a column '${columnNames[i]} ${type}'`);
  });
  const columns = columnNames.map((name, i) => ({ name, type: columnTypes[i] ?? '' }));
  return { queryId, columns, types, isResumable: resumable, token };
}
