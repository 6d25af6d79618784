// The syntax tree of queries: SELECT bodies, sources, joins, windows and spans of time; it knows no schema.

import type { Position } from '../base/errors.ts';
import type { Expression, Name, TimeUnit } from './ast-expression.ts';

/** `SELECT items FROM from ...`, the clauses in the order they are written in. */
export interface Query {
  readonly kind: 'Query';
  readonly items: readonly SelectItem[];
  readonly from: SourceReference;
  /** Applied one after another to `from`: the left side of each join is all before it. */
  readonly joins: readonly Join[];
  readonly window: Window | null;
  readonly where: Expression | null;
  /** With or without parentheses around the list; `GROUP BY ()` is an empty list. */
  readonly groupBy: readonly Expression[] | null;
  readonly partitionBy: readonly Expression[] | null;
  readonly having: Expression | null;
  readonly orderBy: readonly OrderItem[] | null;
  readonly emit: Emit | null;
  readonly limit: number | null;
  readonly at: Position;
}

/** One entry of a SELECT list. */
export type SelectItem =
  | { readonly kind: 'Star'; readonly source: Name | null; readonly at: Position } // * or source.*
  | { readonly kind: 'StructStar'; readonly operand: Expression; readonly at: Position } // operand->*
  | {
      readonly kind: 'Item';
      readonly expression: Expression;
      readonly alias: Name | null;
      readonly at: Position;
    };

/** A source by name; inside the query it goes by its alias where it has one. */
export interface SourceReference {
  readonly name: Name;
  readonly alias: Name | null;
  readonly at: Position;
}

/** `[INNER|LEFT|RIGHT|FULL [OUTER]] JOIN right [WITHIN ...] ON condition`. */
export interface Join {
  readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';
  readonly right: SourceReference;
  readonly within: Within | null;
  readonly on: Expression;
  readonly at: Position;
}

/** `WITHIN n unit` (before and after alike) or `WITHIN (n unit, n unit)`, with `GRACE PERIOD n unit` or without. */
export interface Within {
  readonly before: Duration;
  readonly after: Duration;
  readonly grace: Duration | null;
  readonly at: Position;
}

/** A span of time; `durationMs` gives its milliseconds, which are always a safe integer of zero or more. */
export interface Duration {
  readonly amount: number;
  readonly unit: TimeUnit;
  readonly at: Position;
}

interface WindowNode {
  readonly retention: Duration | null;
  readonly grace: Duration | null;
  readonly at: Position;
}

/** What follows WINDOW. */
export type Window = TumblingWindow | HoppingWindow | SessionWindow | SlidingWindow;

/** `TUMBLING (SIZE n unit ...)`. */
export interface TumblingWindow extends WindowNode {
  readonly kind: 'Tumbling';
  readonly size: Duration;
}

/** `HOPPING (SIZE n unit, ADVANCE BY n unit ...)`. */
export interface HoppingWindow extends WindowNode {
  readonly kind: 'Hopping';
  readonly size: Duration;
  readonly advance: Duration;
}

/** `SESSION (n unit ...)`: `gap` is the inactivity that ends a session. */
export interface SessionWindow extends WindowNode {
  readonly kind: 'Session';
  readonly gap: Duration;
}

/** Not of ksqlDB: a window of `size` that ends at each row, and one that begins just after it. */
export interface SlidingWindow extends WindowNode {
  readonly kind: 'Sliding';
  readonly size: Duration;
}

/** Not of ksqlDB: the order of a pull query's rows. */
export interface OrderItem {
  readonly expression: Expression;
  readonly direction: 'ASC' | 'DESC';
  readonly at: Position;
}

/** `EMIT CHANGES`, `EMIT FINAL`, or our own `EMIT CHANGES EVERY n unit`, where `every` coalesces per key. */
export interface Emit {
  readonly mode: 'CHANGES' | 'FINAL';
  readonly every: Duration | null;
  readonly at: Position;
}

const UNIT_MS: Readonly<Record<TimeUnit, number>> = {
  MILLISECONDS: 1,
  SECONDS: 1_000,
  MINUTES: 60_000,
  HOURS: 3_600_000,
  DAYS: 86_400_000,
};

/** The milliseconds of a span. */
export function durationMs(duration: { readonly amount: number; readonly unit: TimeUnit }): number {
  return duration.amount * UNIT_MS[duration.unit];
}
