// Which keys of a table a condition allows, as spans of keys that hold every row for which it is true; knows no statement.

import { concatBytes } from '../base/byte-arrays.ts';
import type { KeyWindow } from '../catalog/source.ts';
import { type ByteRange, encodeKey, prefixRange, windowRange } from '../data/key.ts';
import { columnsWithRole, type Schema } from '../data/schema.ts';
import { type Type, typeEquals, type Value } from '../data/type.ts';
import { columnsRead, type Comparison, type Expr } from '../expr/expr.ts';
import type { KeySpan } from './analysis.ts';
import { type ColumnRange, columnRanges, narrowed, ofBoth, startingWith } from './key-bounds.ts';

/** Spans of one condition; beyond them all rows are looked through. */
const SPANS_MAX = 1000;

/** The value of an expression; undefined: it has none before a row is known. */
export type Constant = (of: Expr) => Value | undefined;

export interface SpanOptions {
  /** Key columns first, then the window's. */
  readonly row: Schema;
  /** Of the key; null: it has none. */
  readonly window: KeyWindow | null;
  readonly constant: Constant;
}

/** The spans of a condition, and how it names them. */
export interface Spans {
  readonly spans: readonly KeySpan[];
  /** Each span is one key, and each of its columns is compared once. */
  readonly areKeys: boolean;
  /** There is one span, of one key column that is compared once, by order. */
  readonly isOneRange: boolean;
}

/** Milliseconds, both ends inclusive; null is open. */
interface Times {
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** What must hold for the key of a row; null: anything may. */
interface Bounds {
  readonly columns: readonly (ColumnRange | null)[];
  /** The bound of the window that keys are sorted by: the end of a session, the start of all others. */
  readonly times: Times;
}

const ALWAYS: Times = { fromMs: null, toMs: null };

/** @param where null: all rows */
export function keySpans(where: Expr | null, options: SpanOptions): Spans {
  const reader = new Reader(options);
  const bounds = where === null ? reader.anything : reader.boundsOf(where);
  const found = bounds.map((one) => reader.spanOf(one));
  const [first] = found;
  return {
    spans: found,
    areKeys:
      !reader.contradicts &&
      found.every(({ key }) => key !== null) &&
      bounds.every(({ columns }) => columns.every((column) => column?.isPlain === true)),
    isOneRange:
      found.length === 1 &&
      first?.key === null &&
      bounds[0]?.columns.length === 1 &&
      bounds[0].columns[0]?.isPlain === true,
  };
}

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** Reads conditions. A list of bounds means that one of them holds; an empty one that none can. */
class Reader {
  /** One key column is compared twice, with what it cannot be at once. */
  contradicts = false;
  readonly anything: readonly Bounds[];
  readonly #options: SpanOptions;
  readonly #types: readonly Type[];
  readonly #windows: readonly number[];

  constructor(options: SpanOptions) {
    const { row } = options;
    this.#options = options;
    this.#types = columnsWithRole(row, 'key').flatMap((at) => row.columns[at]?.type ?? []);
    this.#windows = columnsWithRole(row, 'window');
    this.anything = [{ columns: this.#types.map(() => null), times: ALWAYS }];
  }

  boundsOf(where: Expr): readonly Bounds[] {
    switch (where.expr) {
      case 'logic': {
        const left = this.boundsOf(where.left);
        const right = this.boundsOf(where.right);
        if (where.op === 'AND') return this.#both(left, right);
        return left.length + right.length > SPANS_MAX ? this.anything : [...left, ...right];
      }
      case 'compare':
        return this.#comparison(where) ?? this.#truth(where);
      case 'in':
        return this.#list(where) ?? this.#truth(where);
      case 'like':
        return this.#pattern(where) ?? this.#truth(where);
      default:
        return this.#truth(where);
    }
  }

  /** A condition that reads no column holds for all rows or for none. */
  #truth(where: Expr): readonly Bounds[] {
    const value = columnsRead(where).length > 0 ? undefined : this.#options.constant(where);
    return value === undefined || value === true ? this.anything : [];
  }

  #both(left: readonly Bounds[], right: readonly Bounds[]): readonly Bounds[] {
    // Either side alone holds every row that both hold.
    if (left.length * right.length > SPANS_MAX) return left.length <= right.length ? left : right;
    return left.flatMap((a) => right.flatMap((b) => this.#together(a, b) ?? []));
  }

  #together(a: Bounds, b: Bounds): Bounds | null {
    const columns: (ColumnRange | null)[] = [];
    for (const [index, one] of a.columns.entries()) {
      const other = b.columns[index] ?? null;
      const both = one === null || other === null ? (one ?? other) : narrowed(one, other);
      if (both === null && one !== null && other !== null) {
        this.contradicts = true;
        return null;
      }
      columns.push(both);
    }
    const fromMs = ofBoth(a.times.fromMs, b.times.fromMs, Math.max);
    const toMs = ofBoth(a.times.toMs, b.times.toMs, Math.min);
    if (fromMs !== null && toMs !== null && fromMs > toMs) return null;
    return { columns, times: { fromMs, toMs } };
  }

  #comparison(where: Expr & { readonly expr: 'compare' }): readonly Bounds[] | null {
    const { op, left, right } = where;
    return this.#compared(op, left, right) ?? this.#compared(FLIPPED[op], right, left);
  }

  /** `column op constant`; null where it is none. */
  #compared(op: Comparison, of: Expr, with_: Expr): readonly Bounds[] | null {
    const column = keyColumn(of);
    if (column === null) return null;
    const value = this.#options.constant(with_);
    if (value === undefined) return null;
    if (value === null) return [];
    const window = this.#windows.indexOf(column);
    // A DECIMAL is a bigint too, of units of its own; it bounds no window.
    if (window >= 0) return with_.type.kind === 'BIGINT' ? this.#window(window, op, value) : null;
    return this.#ranges(column, (type) => columnRanges(op, type, { type: with_.type, value }));
  }

  /** IN: one of the values. */
  #list(where: Expr & { readonly expr: 'in' }): readonly Bounds[] | null {
    if (where.negated || where.list.length > SPANS_MAX) return null;
    const all: Bounds[] = [];
    for (const item of where.list) {
      const bounds = this.#compared('=', where.argument, item);
      if (bounds === null) return null;
      all.push(...bounds);
    }
    return all;
  }

  /** LIKE whose pattern begins with plain text. */
  #pattern({
    negated,
    argument,
    pattern,
    escape,
  }: Expr & { readonly expr: 'like' }): readonly Bounds[] | null {
    const text = negated ? undefined : this.#options.constant(pattern);
    if (typeof text !== 'string' || argument.expr !== 'column') return null;
    return this.#ranges(argument.index, () => [startingWith(plainPrefix(text, escape))]);
  }

  #ranges(
    column: number,
    rangesOf: (type: Type) => readonly ColumnRange[] | null,
  ): readonly Bounds[] | null {
    const type = this.#types[column];
    const ranges = type === undefined ? null : rangesOf(type);
    if (ranges === null) return null;
    return ranges.map((range) => ({
      columns: this.#types.map((_, index) => (index === column ? range : null)),
      times: ALWAYS,
    }));
  }

  /** What a comparison with WINDOWSTART (`bound` 0) or WINDOWEND (1) says of the bound that keys are sorted by. */
  #window(bound: number, op: Comparison, value: Value): readonly Bounds[] | null {
    const { window } = this.#options;
    const isSession = window?.type === 'SESSION';
    const ahead = bound === (isSession ? 1 : 0) ? 0 : isSession ? null : (window?.sizeMs ?? null);
    const ms = typeof value === 'bigint' && ahead !== null ? Number(value) - ahead : NaN;
    const times = Number.isSafeInteger(ms) ? timesOf(op, ms) : null;
    return times === null ? null : this.anything.map((one) => ({ ...one, times }));
  }

  spanOf({ columns, times }: Bounds): KeySpan {
    const values: Value[] = [];
    for (const column of columns) {
      if (column?.value === undefined) break;
      values.push(column.value);
    }
    const prefix = encodeKey(this.#types.slice(0, values.length), values);
    if (values.length === this.#types.length) {
      const isWindowed = this.#windows.length > 0;
      const range = isWindowed
        ? windowRange(prefix, times.fromMs, times.toMs)
        : prefixRange(prefix);
      return { key: values, range };
    }
    const next = columns[values.length]?.range ?? null;
    return { key: null, range: withPrefix(prefix, next) };
  }
}

/** The column that an expression is, maybe in a wider type that keeps every value and their order. */
function keyColumn(of: Expr): number | null {
  if (of.expr === 'column') return of.index;
  if (of.expr !== 'cast' || of.argument.expr !== 'column') return null;
  const { type } = of.argument;
  const isWhole = type.kind === 'INTEGER' || type.kind === 'BIGINT';
  const isWider =
    (isWhole && (of.type.kind === 'BIGINT' || of.type.kind === 'DOUBLE')) ||
    (isWhole && of.type.kind === 'DECIMAL') ||
    (type.kind === 'DECIMAL' && of.type.kind === 'DECIMAL' && of.type.scale >= type.scale);
  return isWider && !typeEquals(type, of.type) ? of.argument.index : null;
}

function timesOf(op: Comparison, ms: number): Times | null {
  switch (op) {
    case '=':
      return { fromMs: ms, toMs: ms };
    case '<':
      return { fromMs: null, toMs: ms - 1 };
    case '<=':
      return { fromMs: null, toMs: ms };
    case '>':
      return { fromMs: ms + 1, toMs: null };
    case '>=':
      return { fromMs: ms, toMs: null };
    default:
      return null;
  }
}

/** The keys that begin with the bytes and go on within the range. */
function withPrefix(prefix: Uint8Array, next: ByteRange | null): ByteRange {
  if (next === null) return prefix.length === 0 ? { from: null, to: null } : prefixRange(prefix);
  if (prefix.length === 0) return next;
  const { from, to } = next;
  return {
    from: concatBytes([prefix, from ?? new Uint8Array()]),
    to: to === null ? prefixRange(prefix).to : concatBytes([prefix, to]),
  };
}

/** The text before the first `%` or `_` of a pattern. */
function plainPrefix(pattern: string, escape: string | null): string {
  let prefix = '';
  let isEscaped = false;
  for (const character of pattern) {
    if (!isEscaped && character === escape) {
      isEscaped = true;
      continue;
    }
    if (!isEscaped && (character === '%' || character === '_')) break;
    prefix += character;
    isEscaped = false;
  }
  return prefix;
}
