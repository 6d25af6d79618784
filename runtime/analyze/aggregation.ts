// Analyzes GROUP BY: grouping keys, aggregate calls with their arguments, the window; and what nodes mean behind it.

import { assert } from '../base/assert.ts';
import { type Position, StatementError } from '../base/errors.ts';
import type { Relation } from '../catalog/source.ts';
import { schema, type SchemaColumn, WINDOW_COLUMNS } from '../data/schema.ts';
import type { Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import { type Call, durationMs, type Expression, type Query, type Window } from '../sql/ast.ts';
import type { Aggregation, AggregationWindow, AnalyzedCall } from './analysis.ts';
import { coerced } from './coerced.ts';
import * as rules from './rules/aggregation.ts';
import { columnAt } from './scope.ts';
import { inferred, resolveCall, typed, type TypingContext } from './typing.ts';
import { sameExpression } from './walk.ts';

/** Windows stay open for 24 hours, their size included, where no GRACE PERIOD is given. */
const DEFAULT_OPEN_MS = 86_400_000;

/** Collects what the SELECT and HAVING of a grouped query ask for. */
export class Grouping {
  readonly #query: Query;
  readonly #source: Relation;
  /** For expressions over rows. */
  readonly #rows: TypingContext;
  readonly #groupBy: readonly Expression[];
  readonly #keys: readonly Expr[];
  readonly #arguments: Expr[] = [];
  readonly #calls: AnalyzedCall[] = [];

  constructor(query: Query, source: Relation, rows: TypingContext) {
    assert(query.groupBy !== null, 'a grouped query has GROUP BY');
    this.#query = query;
    this.#source = source;
    this.#rows = rows;
    this.#groupBy = query.groupBy;
    this.#keys = query.groupBy.map((node) => typed(node, { ...rows, clause: 'GROUP BY' }));
  }

  /** Which grouping expression the node is, or -1. */
  keyOf(node: Expression): number {
    return this.#groupBy.findIndex((candidate) => sameExpression(candidate, node));
  }

  /** Typing of what stands behind the grouping; positions are those of `Aggregation.schema`. */
  context(clause: string): TypingContext {
    return { ...this.#rows, clause, meaning: (node) => this.#meaning(node, clause) };
  }

  /** Position in `Aggregation.schema` of key column `key`. */
  keyColumn(key: number): Expr {
    const expression = this.#keys[key];
    assert(expression !== undefined, 'a key column is one of the grouping');
    return { expr: 'column', index: key, type: expression.type };
  }

  #meaning(node: Expression, clause: string): Expr | null {
    const key = this.keyOf(node);
    if (key >= 0) return this.keyColumn(key);
    if (rules.isAggregate(node, this.#rows.registry)) return this.#aggregate(node);
    if (node.kind !== 'Column') return null;
    if (this.#query.window !== null && rules.isWindowBound(node)) {
      const bound = WINDOW_COLUMNS.findIndex((column) => column.name === node.name.text);
      return { expr: 'column', index: this.#keys.length + bound, type: windowType(bound) };
    }
    columnAt(this.#rows.scope, node);
    throw rules.ungrouped(node, clause);
  }

  #aggregate(call: Call): Expr {
    rules.refuseNested(call, this.#rows.registry);
    const name = call.name.text.toUpperCase();
    const context = { ...this.#rows, clause: `the arguments of ${name}` };
    let given = call.arguments.map((argument) => inferred(argument, context));
    const [only] = given;
    // A constant that is not NULL counts every row, as * does: no column need be carried for it.
    if (name === 'COUNT' && given.length === 1 && only?.expr === 'literal' && only.value !== null)
      given = [];
    const resolved = resolveCall(context, call, given);
    if (resolved.overload.kind !== 'aggregate') {
      throw new StatementError(
        'UNKNOWN_FUNCTION',
        `${name} is no aggregate of these arguments`,
        call.at,
      );
    }
    if (this.#source.kind === 'table' && resolved.overload.body(resolved.casts).undo === null) {
      throw rules.refuseWithoutUndo(call, this.#source);
    }
    const analyzed: AnalyzedCall = {
      function: name,
      signature: resolved.signature,
      arguments: given.map((argument, index) => this.#argument(argument, resolved.casts[index])),
      type: resolved.type,
    };
    const index = this.#call(analyzed);
    return { expr: 'column', index: this.#before() + index, type: resolved.type };
  }

  #argument(of: Expr | null, cast: Type | undefined): number {
    assert(cast !== undefined, 'a resolved call has a type for each argument');
    const argument = coerced(of, cast);
    const text = JSON.stringify(argument);
    const known = this.#arguments.findIndex((candidate) => JSON.stringify(candidate) === text);
    return known >= 0 ? known : this.#arguments.push(argument) - 1;
  }

  #call(analyzed: AnalyzedCall): number {
    const text = JSON.stringify(analyzed);
    const known = this.#calls.findIndex((candidate) => JSON.stringify(candidate) === text);
    return known >= 0 ? known : this.#calls.push(analyzed) - 1;
  }

  /** Columns of the aggregation's schema before its results. */
  #before(): number {
    return this.#keys.length + (this.#query.window === null ? 0 : WINDOW_COLUMNS.length);
  }

  /** The aggregation, once SELECT and HAVING are analyzed. @param keyNames names of the key columns */
  finish(keyNames: readonly string[]): Aggregation {
    const [first] = this.#groupBy;
    rules.refuseGroupingWithoutAggregate(this.#calls.length, first?.at ?? this.#query.at);
    const keys = this.#keys.map((key, index): SchemaColumn => ({
      name: keyNames[index] ?? `KSQL_COL_${index}`,
      type: key.type,
      role: 'key',
    }));
    const { window } = this.#query;
    const results = this.#calls.map((call, index): SchemaColumn => ({
      name: `AGGREGATE_${index}`,
      type: call.type,
      role: 'value',
    }));
    return {
      keys: this.#keys,
      arguments: this.#arguments,
      calls: this.#calls,
      window: window === null ? null : analyzedWindow(window),
      schema: schema([...keys, ...(window === null ? [] : WINDOW_COLUMNS), ...results]),
    };
  }
}

function windowType(bound: number): Type {
  const column = WINDOW_COLUMNS[bound];
  assert(column !== undefined, 'a window bound is one of two columns');
  return column.type;
}

/** The window with its defaults. @throws {StatementError} INVALID for spans that do not fit each other */
function analyzedWindow(window: Window): AggregationWindow {
  if (window.kind !== 'Tumbling') {
    throw new StatementError(
      'UNSUPPORTED',
      `WINDOW ${window.kind.toUpperCase()} is not supported yet`,
      window.at,
    );
  }
  const sizeMs = span(durationMs(window.size), 'SIZE', window.size.at);
  const graceMs =
    window.grace === null ? Math.max(0, DEFAULT_OPEN_MS - sizeMs) : durationMs(window.grace);
  const neededMs = sizeMs + graceMs;
  if (window.retention === null)
    return { type: 'TUMBLING', sizeMs, graceMs, retentionMs: neededMs };
  const retentionMs = durationMs(window.retention);
  if (retentionMs < (window.grace === null ? sizeMs : neededMs)) {
    throw new StatementError(
      'INVALID',
      'RETENTION is shorter than the window stays open',
      window.retention.at,
      'It is at least SIZE and GRACE PERIOD together.',
    );
  }
  return { type: 'TUMBLING', sizeMs, graceMs, retentionMs: Math.max(retentionMs, neededMs) };
}

function span(ms: number, what: string, at: Position): number {
  if (ms > 0) return ms;
  throw new StatementError('INVALID', `${what} of a window is 0`, at, 'It is longer than 0.');
}
