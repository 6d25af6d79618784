// What a statement fixes of an aggregate call, which calls its source does not allow, and the words of what is refused: fetched for the few statements that need it.

import { existing } from '../base/assert.ts';
import { StatementError } from '../base/errors.ts';
import type { Relation } from '../catalog/source.ts';
import { BIGINT, type Type } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';
import { type ConstantJson, givenOf } from '../functions/aggregate-call.ts';
import type { AggregateBody, AggregateOverload, Resolved } from '../functions/registry.ts';
import { parametersFor } from '../functions/resolve.ts';
import type { Call } from '../sql/ast.ts';
import { coerced } from './coerced.ts';
import { nestedState, withoutMerge, withoutUndo } from './rules/aggregation-errors.ts';
import { typed, type TypingContext } from './typing.ts';
import { shortText } from './walk.ts';

export {
  aggregateInGrouping,
  aggregateInPartitionBy,
  boundInGrouping,
  emptyGrouping,
  groupingWithoutAggregate,
  nested,
  ungroupableFormat,
  ungrouped,
  withoutGrouping,
} from './rules/aggregation-errors.ts';

/**
 * The arguments of a call that is written without any, or with `*`: the ROWTIME of the row, unless the function is declared without or takes
 * no time. Over a join it is that of the first source.
 */
export function nothingGiven(node: Call, context: TypingContext): readonly (Expr | null)[] {
  const { at } = node;
  const { registry, scope } = context;
  const name = node.name.text.toUpperCase();
  if (registry.resolve(name, []) !== null || registry.resolve(name, [BIGINT]) === null) return [];
  const source = { text: existing(scope.entries[0], 'source').alias, at };
  return [typed({ kind: 'Column', source, name: { text: 'ROWTIME', at }, at }, context)];
}

/** A resolved call of an aggregate over a source. */
export interface ResolvedCall {
  readonly node: Call;
  readonly resolved: Resolved;
  readonly overload: AggregateOverload;
  readonly given: readonly (Expr | null)[];
  readonly source: Relation;
  /** Per session, which merge. */
  readonly isSession: boolean;
  readonly context: TypingContext;
}

/** What of a call stands in the plan beside its columns. */
export interface FixedArguments {
  /** How many of the arguments are columns: the first ones. */
  readonly columns: number;
  readonly fixed: {
    readonly constants?: readonly ConstantJson[];
    readonly settings?: Readonly<Record<string, string>>;
  };
}

/**
 * The constants and settings of a call.
 * @throws {StatementError} INVALID for an argument that should be a constant and is none, for one that the function refuses, and
 *   for a function that cannot be computed over the source
 */
export function fixedArguments(call: ResolvedCall): FixedArguments {
  const { node, overload, given, resolved } = call;
  const parameters = parametersFor(overload.parameters, given.length) ?? [];
  const columns = parameters.filter((parameter) => parameter.constant !== true).length;
  const constants = parameters
    .slice(columns)
    .map((_, index) => constantOf(call, columns + index, resolved.casts[columns + index]));
  const settings = settingsOf(call);
  const fixed = {
    ...(constants.length > 0 && { constants }),
    ...(Object.keys(settings).length > 0 && { settings }),
  };
  const statementGives = givenOf({ function: '', signature: '', ...fixed });
  const refused = overload.refuses?.(statementGives) ?? null;
  if (refused !== null) {
    throw new StatementError('INVALID', `${shortText(node)}: ${refused}`, node.at);
  }
  refuseOver(call, overload.body(resolved.casts.slice(0, columns), statementGives));
  return { columns, fixed };
}

function constantOf({ node, given }: ResolvedCall, at: number, type?: Type): ConstantJson {
  const written = given[at] ?? null;
  const argument = type === undefined ? written : literal(coerced(written, type));
  if (argument?.expr === 'literal') return { value: argument.value, type: argument.type };
  const name = node.name.text.toUpperCase();
  throw new StatementError(
    'INVALID',
    `argument ${at + 1} of ${name} is not a constant`,
    node.arguments[at]?.at ?? node.at,
    'Write a literal: it is the same for all rows.',
  );
}

/** A number with its sign is one literal. */
function literal(of: Expr): Expr {
  if (of.expr !== 'negate' || of.argument.expr !== 'literal') return of;
  const { value, type } = of.argument;
  if (typeof value === 'number') return { expr: 'literal', value: -value, type };
  return typeof value === 'string' ? { expr: 'literal', value: `-${value}`, type } : of;
}

function settingsOf({ overload, context }: ResolvedCall): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const property of overload.settings ?? []) {
    const value = context.properties?.get(property);
    if (value !== undefined) found[property] = value;
  }
  return found;
}

/** A table takes rows back; ksqlDB keeps the state in the source's value format, which DELIMITED cannot for nested types. */
function refuseOver(
  { node, source, isSession }: ResolvedCall,
  { undo, merge, cells }: AggregateBody,
): void {
  if (source.kind === 'table' && undo === null) throw withoutUndo(node, source);
  if (isSession && merge === null) throw withoutMerge(node);
  const isNested = cells.length > 1 || cells.some(({ kind }) => NESTED.has(kind));
  if (source.valueFormat.format === 'DELIMITED' && isNested) throw nestedState(node, source);
}

const NESTED = new Set<Type['kind']>(['ARRAY', 'MAP', 'STRUCT']);
