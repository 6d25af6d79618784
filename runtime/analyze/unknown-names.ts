// The words for names that are not in reach, with the nearest that are; knows no types' rules.

import { type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import { WINDOWEND, WINDOWSTART } from '../data/schema.ts';
import type { Name } from '../sql/ast.ts';
import type { Scope } from './scope.ts';

/** The error that names a source which the query does not read. */
export function unknownSource(source: Name, { entries }: Scope): StatementError {
  const names = entries.map((entry) => entry.alias);
  return new StatementError(
    'UNKNOWN_SOURCE',
    `${source.text} is not a source of this query`,
    source.at,
    didYouMean(source.text, names, `Here the sources go by ${names.join(', ')}.`),
  );
}

/** Columns that a hint names. */
const SHOWN_COLUMNS_MAX = 10;

/** The error that names a column which is not in reach, with the nearest that is. */
export function unknownColumn(name: string, scope: Scope, at: Position): StatementError {
  const names = scope.entries.map((entry) => entry.alias).join(', ');
  if (name === WINDOWSTART || name === WINDOWEND) {
    return new StatementError(
      'UNKNOWN_COLUMN',
      `${name} is not a column of ${names}`,
      at,
      'Window bounds stand in the SELECT of a windowed aggregation, and in queries over a windowed source.',
    );
  }
  const known = scope.row.columns.map((column) => column.name);
  const some = known.slice(0, SHOWN_COLUMNS_MAX).join(', ');
  const more = known.length > SHOWN_COLUMNS_MAX ? ', ...' : '';
  const listed = known.length === 0 ? '' : `The columns are ${some}${more}.`;
  // A name that an unquoted one cannot be was quoted, and was meant as text unless only its case is wrong.
  const isName = /^[A-Z_@][A-Z0-9_@]*$/.test(name) || known.includes(name.toUpperCase());
  const meant = isName ? '' : 'Text stands in single quotes. ';
  return new StatementError(
    'UNKNOWN_COLUMN',
    `${name} is not a column of ${names}`,
    at,
    `${meant}${didYouMean(name, known, listed)}`.trim(),
  );
}
