// The words for what a projection may not be; knows no plan.

import { type Position, StatementError } from '../../base/errors.ts';
import { COLUMNS_MAX } from '../../base/limits.ts';
import type { NamedItem } from '../names.ts';
import type { KeyNames } from './projection.ts';

export function missingKey(
  { count, nameOf, what }: KeyNames,
  missing: readonly string[],
  at: Position,
): StatementError {
  const all = Array.from({ length: count }, (_, key) => nameOf(key));
  const twice = missing.find((name) => all.indexOf(name) < all.lastIndexOf(name));
  if (twice !== undefined)
    return new StatementError('INVALID', `the ${what} ${twice} stands twice`, at, 'Write it once.');
  const names = missing.join(', ');
  return new StatementError(
    'INVALID',
    `the SELECT lacks the ${what}${missing.length > 1 ? 's' : ''} ${names}`,
    at,
    `Add ${names} to the SELECT: the result has no key without.`,
  );
}

export function repeatedKey(first: NamedItem, item: NamedItem): StatementError {
  return new StatementError(
    'INVALID',
    `the key column is selected twice, as ${first.name} and as ${item.name}`,
    item.at,
    `To have a copy in the value write AS_VALUE(...) AS ${item.name}.`,
  );
}

export function noValues(at: Position): StatementError {
  return new StatementError(
    'INVALID',
    'the SELECT has no value columns',
    at,
    'Add a column beside the key, for example AS_VALUE(...) of it.',
  );
}

export function duplicateName({ name, at }: NamedItem): StatementError {
  return new StatementError(
    'INVALID',
    `two columns of the SELECT are called ${name}`,
    at,
    'Give one of them another name with AS.',
  );
}

export function reservedName({ name, alias, at }: NamedItem): StatementError {
  return new StatementError(
    'INVALID',
    `${name} is a reserved name`,
    alias?.at ?? at,
    'Give the column another name with AS.',
  );
}

export function tooManyColumns(columns: number, at: Position): StatementError {
  return new StatementError('LIMIT', `${columns} columns are more than ${COLUMNS_MAX}`, at);
}
