// Analyzes INSERT INTO ... VALUES: which column takes which value, as a value of its type; knows no bytes.

import { type Position, StatementError } from '../base/errors.ts';
import type { Source } from '../catalog/source.ts';
import { columnsWithRole, type SchemaColumn } from '../data/schema.ts';
import { BIGINT, type Type, typeText, type Value } from '../data/type.ts';
import type { Expression, InsertValues, Name } from '../sql/ast.ts';
import type { AnalyzeOptions, InsertValuesAnalysis } from './analysis.ts';
import { coerced } from './coerced.ts';
import { isTemporal, literalText, widens } from './coercion.ts';
import { constantValue } from './constant.ts';
import type { Scope } from './scope.ts';
import { unknownColumn } from './unknown-names.ts';
import { inferred, type TypingContext } from './typing.ts';
import type { CallContext } from '../functions/registry.ts';

// What goes with it comes with it.
export { analyzeInsertSelect } from './insert-select.ts';

const ROWTIME = 'ROWTIME';

/** @throws {StatementError} for read-only and windowed sources, unknown columns and values that do not fit them */
export function analyzeInsertValues(
  statement: InsertValues,
  options: AnalyzeOptions,
): InsertValuesAnalysis {
  const source = options.catalog.source(statement.target.text, statement.target.at);
  if (options.properties.get('ksql.insert.into.values.enabled')?.toLowerCase() === 'false') {
    throw new StatementError('INVALID', 'INSERT INTO ... VALUES is switched off', statement.at);
  }
  refuseTarget(source, statement.target.at);
  const targets = targetsOf(statement, source);
  const context: TypingContext = {
    scope: { entries: [{ alias: 'VALUES', source }], row: { columns: [] }, join: null },
    registry: options.registry,
    types: options.catalog.types,
    clause: 'VALUES',
  };
  const given = new Map<string, Value>();
  statement.values.forEach((node, index) => {
    const target = targets[index];
    if (target !== undefined)
      given.set(target.name, valueOf(node, target, context, options.callContext ?? null));
  });
  const stored = source.schema.columns.filter((column) => column.role !== 'pseudo');
  const keys = stored.filter((column) => column.role === 'key');
  const keyNull = keys.every((column) => (given.get(column.name) ?? null) === null);
  const [missing] = keys.filter((column) => (given.get(column.name) ?? null) === null);
  if (source.kind === 'table' && missing !== undefined) {
    throw new StatementError(
      'INVALID',
      `the primary key ${missing.name} has no value`,
      statement.at,
      "A table's row has a key.",
    );
  }
  const rowtime = given.get(ROWTIME) ?? null;
  return {
    kind: 'insertValues',
    source,
    values: stored.map((column) => given.get(column.name) ?? null),
    keyNull,
    rowtime: rowtime === null ? null : rowtimeOf(rowtime, statement.at),
  };
}

function rowtimeOf(value: Value, at: Position): number {
  const ms = Number(value);
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw new StatementError(
    'INVALID',
    'ROWTIME is out of range',
    at,
    'It is milliseconds since 1970, not negative.',
  );
}

function refuseTarget(source: Source, at: Position): void {
  if (source.readOnly) throw new StatementError('INVALID', `${source.name} is read-only`, at);
  if (source.window === null) return;
  throw new StatementError(
    'INVALID',
    `${source.name} is windowed, so that no values can be inserted`,
    at,
  );
}

/** The columns that take the values, in their order. */
function targetsOf(statement: InsertValues, source: Source): readonly SchemaColumn[] {
  const targets =
    statement.columns === null ? implied(statement, source) : listed(statement.columns, source);
  if (targets.length === statement.values.length) return targets;
  throw new StatementError(
    'INVALID',
    `${statement.values.length} values for ${targets.length} columns`,
    statement.values[0]?.at ?? statement.at,
    `The columns are ${targets.map((column) => column.name).join(', ')}.`,
  );
}

function implied(statement: InsertValues, source: Source): readonly SchemaColumn[] {
  // Key columns come first, wherever they were declared.
  const stored = source.schema.columns.filter((column) => column.role !== 'pseudo');
  const headers = columnsWithRole(source.schema, 'pseudo');
  if (headers.length > 0 && statement.values.length === stored.length + headers.length) {
    throw headerError(source.headers.map((header) => header.column).join(', '), statement.at);
  }
  return stored;
}

function headerError(names: string, at: Position): StatementError {
  return new StatementError(
    'INVALID',
    `${names} is filled from the headers`,
    at,
    'Leave header columns out.',
  );
}

function listed(names: readonly Name[], source: Source): readonly SchemaColumn[] {
  const seen = new Set<string>();
  return names.map(({ text, at }) => {
    if (seen.has(text)) throw new StatementError('INVALID', `the column ${text} stands twice`, at);
    seen.add(text);
    if (text === ROWTIME) return { name: ROWTIME, type: BIGINT, role: 'pseudo' };
    const column = source.schema.columns.find((candidate) => candidate.name === text);
    if (column === undefined) {
      const entries = [{ alias: source.name, source }];
      const scope: Scope = { entries, row: source.schema, join: null };
      throw unknownColumn(text, scope, at);
    }
    if (column.role === 'pseudo') throw headerError(text, at);
    return column;
  });
}

function valueOf(
  node: Expression,
  target: SchemaColumn,
  context: TypingContext,
  calls: CallContext | null,
): Value {
  const written = inferred(node, context);
  const { type } = target;
  const cast = coerced(written, type);
  const fits =
    written === null ||
    widens(written.type, type) ||
    (written.expr === 'literal' && cast.expr === 'literal') ||
    (literalText(written) !== null && (isTemporal(type) || type.kind === 'BYTES'));
  if (!fits) throw mismatch(target, typeText(written.type), type, node.at);
  const text = literalText(written);
  const value = constantValue(cast, context.registry, calls, (reason) => {
    if (text !== null) throw mismatch(target, `'${text}'`, type, node.at);
    throw new StatementError(
      'INVALID',
      `the value of ${target.name} fails: ${reason}`,
      node.at,
      'Write a value that can be computed.',
    );
  });
  if (value !== undefined) return value;
  throw new StatementError(
    'UNSUPPORTED',
    'VALUES takes literals and constructors of them only',
    node.at,
    'Write the value itself.',
  );
}

function mismatch(target: SchemaColumn, given: string, type: Type, at: Position): StatementError {
  return new StatementError(
    'TYPE_MISMATCH',
    `the column ${target.name} is ${typeText(type)}, which ${given} does not fit`,
    at,
    'Write a value of the type of the column.',
  );
}
