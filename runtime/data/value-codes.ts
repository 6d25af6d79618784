// Which rows of a column of objects hold the same object, where whoever made it knows; knows no kernel and no expression.

import type { Value } from './type.ts';

/** Rows with one code have one value. */
export interface ValueCodes {
  /** A code a row. */
  readonly codes: Uint32Array;
  /** All codes are below it. */
  readonly size: number;
}

/** By the values of a column, as they were made: those that are gathered, cut or computed have others. */
export const VALUE_CODES = new WeakMap<readonly Value[], ValueCodes>();
