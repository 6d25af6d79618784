// Analyzes GROUP BY: grouping keys, aggregate calls with their arguments, the window; and what nodes mean behind it.

import { assert, existing } from '../base/assert.ts';
import type { Relation } from '../catalog/source.ts';
import { schema, type SchemaColumn, WINDOW_COLUMNS } from '../data/schema.ts';
import { BIGINT, type Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import { type Call, durationMs, type Expression, type Query, type Window } from '../sql/ast.ts';
import type { Aggregation, AggregationWindow, AnalyzedCall } from './analysis.ts';
import { coerced } from './coerced.ts';
import { AGGREGATE_RULES, RARER, WORDS } from './parts.ts';
import * as rules from './rules/aggregation.ts';
import { columnAt } from './scope.ts';
import { inferred, resolveCall, typed, type TypingContext } from './typing.ts';
import { sameExpression } from './walk.ts';

/** Windows stay open for 24 hours, their size included, where no GRACE PERIOD is given. */
export const DEFAULT_OPEN_MS = 86_400_000;

/** Collects what the SELECT and HAVING of a grouped query ask for. */
export class Grouping {
  readonly #query: Query;
  readonly #source: Relation;
  /** For expressions over rows. */
  readonly #rows: TypingContext;
  readonly #groupBy: readonly Expression[];
  readonly #keys: readonly Expr[];
  /** The columns of the window, if there is one. */
  readonly #bounds: readonly SchemaColumn[];
  readonly #arguments: Expr[] = [];
  readonly #calls: AnalyzedCall[] = [];

  constructor(query: Query, source: Relation, rows: TypingContext) {
    assert(query.groupBy !== null, 'a grouped query has GROUP BY');
    this.#query = query;
    this.#source = source;
    this.#rows = rows;
    this.#groupBy = query.groupBy;
    this.#bounds = query.window === null ? [] : WINDOW_COLUMNS;
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
    return { expr: 'column', index: key, type: existing(this.#keys[key], 'column').type };
  }

  #meaning(node: Expression, clause: string): Expr | null {
    const key = this.keyOf(node);
    if (key >= 0) return this.keyColumn(key);
    if (rules.isAggregate(node, this.#rows.registry)) return this.#aggregate(node);
    if (node.kind !== 'Column') return null;
    const bound = this.#bounds.findIndex((column) => column.name === node.name.text);
    // HAVING does not know them.
    if (bound >= 0 && clause === 'SELECT')
      return { expr: 'column', index: this.#keys.length + bound, type: BIGINT };
    columnAt(this.#rows.scope, node);
    throw AGGREGATE_RULES.code.ungrouped(node, clause);
  }

  #aggregate(call: Call): Expr {
    rules.refuseNested(call, this.#rows.registry);
    const name = call.name.text.toUpperCase();
    const context = { ...this.#rows, clause: `the arguments of ${name}` };
    let given: readonly (Expr | null)[] = call.arguments.map((argument) =>
      inferred(argument, context),
    );
    const [only] = given;
    // A constant that is not NULL counts every row, as * does: no column need be carried for it.
    if (name === 'COUNT' && given.length === 1 && only?.expr === 'literal' && only.value !== null)
      given = [];
    if (given.length === 0 && name !== 'COUNT')
      given = AGGREGATE_RULES.code.nothingGiven(call, context);
    const resolved = resolveCall(context, call, given);
    const { overload } = resolved;
    if (overload.kind !== 'aggregate') {
      throw WORDS.code.noAggregate(name, call.at);
    }
    const source = this.#source;
    // Of a plain call over a plain source there is nothing more to know.
    const isSession = this.#query.window?.kind === 'Session';
    const isPlain =
      !isSession &&
      overload.refuses === undefined &&
      source.kind === 'stream' &&
      source.valueFormat.format !== 'DELIMITED';
    const { columns, fixed } = isPlain
      ? { columns: given.length, fixed: {} }
      : AGGREGATE_RULES.code.fixedArguments({
          node: call,
          resolved,
          overload,
          given,
          source,
          isSession,
          context,
        });
    const analyzed: AnalyzedCall = {
      function: name,
      signature: resolved.signature,
      arguments: given
        .slice(0, columns)
        .map((argument, index) => this.#argument(argument, resolved.casts[index])),
      ...fixed,
      type: resolved.type,
    };
    const index = this.#call(analyzed);
    return {
      expr: 'column',
      index: this.#keys.length + this.#bounds.length + index,
      type: resolved.type,
    };
  }

  #argument(of: Expr | null, cast: Type | undefined): number {
    const argument = coerced(of, existing(cast, 'column'));
    const text = JSON.stringify(argument);
    const known = this.#arguments.findIndex((candidate) => JSON.stringify(candidate) === text);
    return known >= 0 ? known : this.#arguments.push(argument) - 1;
  }

  #call(analyzed: AnalyzedCall): number {
    const text = JSON.stringify(analyzed);
    const known = this.#calls.findIndex((candidate) => JSON.stringify(candidate) === text);
    return known >= 0 ? known : this.#calls.push(analyzed) - 1;
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
      schema: schema([...keys, ...this.#bounds, ...results]),
    };
  }
}

/** The window with its defaults; what is not plainly TUMBLING is analyzed by code of its own. @throws {StatementError} */
function analyzedWindow(window: Window): AggregationWindow {
  const sizeMs =
    window.kind === 'Tumbling' && window.retention === null ? durationMs(window.size) : 0;
  if (sizeMs === 0) return RARER.code.analyzedWindow(window);
  const graceMs =
    window.grace === null ? Math.max(0, DEFAULT_OPEN_MS - sizeMs) : durationMs(window.grace);
  return { type: 'TUMBLING', sizeMs, advanceMs: sizeMs, graceMs, retentionMs: sizeMs + graceMs };
}
