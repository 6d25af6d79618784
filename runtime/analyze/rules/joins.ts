// What a join may not be: kinds and windows that do not go together, conditions that are none, keys that rows are not found by. Knows no plan.

import { type Position, StatementError } from '../../base/errors.ts';
import type { Source } from '../../catalog/source.ts';
import { type Type, typeEquals, typeText } from '../../data/type.ts';
import type { Comparison, Expression, Join, Query, SourceReference } from '../../sql/ast.ts';
import type { AnalyzeOptions, FromJoin } from '../analysis.ts';
import { shortText } from '../walk.ts';

/** The session's property that lets a source be joined with itself, which ksqlDB refuses. */
const SELF_JOINS = 'millrace.self.joins';

function invalid(message: string, at: Position, hint: string): StatementError {
  return new StatementError('INVALID', message, at, hint);
}

/** Each source has a name of its own in the query; the same source comes twice only where the session says so. */
export function refuseRepeatedSources(query: Query, { properties }: AnalyzeOptions): void {
  const references = [query.from, ...query.joins.map((join) => join.right)];
  const isAllowed = properties.get(SELF_JOINS)?.toLowerCase() === 'allow';
  const aliases = new Set<string>();
  const sources = new Set<string>();
  for (const reference of references) {
    const { name, at } = reference;
    const alias = aliasOf(reference);
    if (sources.has(name.text) && !isAllowed) {
      const hint = `Read its topic under a second name: CREATE STREAM or TABLE; or SET '${SELF_JOINS}' = 'allow'.`;
      throw invalid(`${name.text} is joined with itself`, at, hint);
    }
    if (aliases.has(alias)) {
      const hint = `Give one of them another name: ${name.text} AS ...`;
      throw invalid(`two sources go by the name ${alias}`, at, hint);
    }
    aliases.add(alias);
    sources.add(name.text);
  }
}

/** The name that a source goes by in its query. */
export function aliasOf({ name, alias }: SourceReference): string {
  return alias?.text ?? name.text;
}

/** A value in the format KAFKA has no name and no place for a second one. */
export function refuseFormat({ name, valueFormat }: Source, at: Position): void {
  if (valueFormat.format !== 'KAFKA') return;
  const hint = "Copy it first: CREATE STREAM ... WITH (VALUE_FORMAT='JSON') AS SELECT * FROM it.";
  throw invalid(`JOIN with ${name}, whose value format is KAFKA`, at, hint);
}

/** A condition is one equality. */
export function equalityOf({ on }: Join): Comparison {
  if (on.kind === 'Comparison' && on.operator === '=') return on;
  const several = on.kind === 'Logical' && on.operator === 'AND';
  throw invalid(
    several ? 'ON has several conditions' : `ON is no equality: ${shortText(on)}`,
    on.at,
    several
      ? 'Keep one; put the others into WHERE, or join on one expression of all columns.'
      : 'An expression of one source equals one of the other: ON a.id = b.id.',
  );
}

/** Each side of the equality is about one source. */
export function refuseMixedSide(side: Expression, sources: number): void {
  if (sources === 1) return;
  throw invalid(
    `${shortText(side)} in ON names ${sources === 0 ? 'no source' : `${sources} sources`}`,
    side.at,
    'Each side of the equality has columns of one source.',
  );
}

/** One side is of the source that is joined, the other of one before it. */
export function wrongSides(on: Expression, right: string): StatementError {
  const hint = `One side is of ${right}, the other of a source that stands before it.`;
  return invalid(`ON ${shortText(on)} does not join ${right}`, on.at, hint);
}

type JoinKind = FromJoin['kind'];

/** Streams and tables go together in some orders only. */
export function kindOf(
  left: 'stream' | 'table',
  right: 'stream' | 'table',
  { type, at, right: reference }: Join,
): Exclude<JoinKind, 'foreignKey'> {
  if (left === 'stream' && right === 'stream') return 'streamStream';
  if (left === 'table' && right === 'table') return 'tableTable';
  if (left === 'table') {
    const hint = 'Name the stream first: FROM stream JOIN table.';
    throw invalid(`a table is joined with the stream ${aliasOf(reference)}`, at, hint);
  }
  if (type === 'INNER' || type === 'LEFT') return 'streamTable';
  throw invalid(
    `${type} JOIN of a stream with the table ${aliasOf(reference)}`,
    at,
    'Rows of the table are only looked up: use INNER or LEFT.',
  );
}

/** WITHIN says how far apart rows of two streams may be; tables have no such time. */
export function refuseWrongWithin(kind: JoinKind, { within, right, at }: Join): void {
  if (kind === 'streamStream') {
    if (within !== null) return;
    const hint = 'Add WITHIN, for example WITHIN 1 HOUR: rows so far apart are joined.';
    throw invalid(`two streams are joined without WITHIN`, at, hint);
  }
  if (within === null) return;
  const hint = 'Leave WITHIN out: a table has one row for each key, whenever it came.';
  throw invalid(`WITHIN in a join with the table ${aliasOf(right)}`, within.at, hint);
}

/** A table is found by its key alone. */
export function notTheKey(side: Expression, table: string): StatementError {
  return invalid(
    `${shortText(side)} is not the primary key of ${table}`,
    side.at,
    'A table is joined by its primary key of one column.',
  );
}

/** A table's rows do not move to another key: where a join before did away with it, nothing finds them. */
export function lostKey(side: Expression): StatementError {
  return invalid(
    `${shortText(side)} is not the key of the tables joined before`,
    side.at,
    'Join by the key of what stands before, or make a table of it first. A join by foreign key is the first of a query.',
  );
}

/** A row of the right table alone has no row of the left to take its key from. */
export function refuseForeignKeyType({ type, at }: Join): void {
  if (type === 'INNER' || type === 'LEFT') return;
  throw invalid(
    `${type} JOIN by a foreign key`,
    at,
    'The result has the key of the left table: use INNER or LEFT.',
  );
}

/** Windows are a part of the key: both sides have them, of one kind. */
export function refuseWindows(left: Source, right: Source, at: Position): void {
  const kinds = [left, right].map(({ window }) => {
    if (window === null) return 'no window';
    return window.type === 'SESSION' ? 'SESSION' : 'of a fixed size';
  });
  if (kinds[0] === kinds[1]) return;
  throw invalid(
    `${left.name} has ${windowText(left)} in its key, ${right.name} has ${windowText(right)}`,
    at,
    'Windowed sources are joined with such of the same kind of window.',
  );
}

function windowText({ window }: Source): string {
  return window === null ? 'no window' : `a ${window.type} window`;
}

/** A key with its window stays what it is. */
export function refuseWindowedMove(source: Source, side: Expression): void {
  if (source.window === null) return;
  throw invalid(
    `${shortText(side)} is not the key of ${source.name}, whose key holds a window`,
    side.at,
    'A windowed source is joined by its key.',
  );
}

/** A key with its window is not written anew. */
export function refuseWindowedFormat(source: Source, format: string, at: Position): void {
  if (source.window === null) return;
  throw invalid(
    `the key format of ${source.name} is ${source.keyFormat.format}, not ${format}, and its key holds a window`,
    at,
    'Windowed sources that are joined have one key format.',
  );
}

/** Equal keys are of one type. */
export function refuseTypes(
  left: { readonly node: Expression; readonly type: Type },
  right: { readonly node: Expression; readonly type: Type },
  at: Position,
): void {
  if (typeEquals(left.type, right.type)) return;
  throw new StatementError(
    'TYPE_MISMATCH',
    `${shortText(left.node)} is ${typeText(left.type)}, ${shortText(right.node)} is ${typeText(right.type)}`,
    at,
    'CAST one side to the type of the other.',
  );
}

/** Rows meet only where equal keys are in partitions of one number. */
export function refusePartitions(
  first: { readonly topic: string; readonly partitions: number },
  other: { readonly topic: string; readonly partitions: number },
  at: Position,
): void {
  if (first.partitions === other.partitions) return;
  throw invalid(
    `partitions differ: the topic ${first.topic} has ${first.partitions}, ${other.topic} has ${other.partitions}`,
    at,
    'CREATE ... WITH (PARTITIONS=...) AS SELECT * makes a copy with as many.',
  );
}
