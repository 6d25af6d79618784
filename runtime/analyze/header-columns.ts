// Columns that are filled from the headers of a record: what types they have and which may stand together; knows no record.

import { StatementError } from '../base/errors.ts';
import type { HeaderColumn } from '../catalog/source.ts';
import { array, BYTES, STRING, struct, type Type, typeEquals, typeText } from '../data/type.ts';
import type { ColumnDefinition } from '../sql/ast.ts';

/** The type of a column with all headers of a record. */
const HEADERS_TYPE: Type = array(
  struct([
    { name: 'KEY', type: STRING },
    { name: 'VALUE', type: BYTES },
  ]),
);

/**
 * The headers that the column reads.
 * @param before header columns declared before it
 * @throws {StatementError} TYPE_MISMATCH; INVALID for headers that are read twice
 */
export function headerColumn(
  { name, constraint, at }: ColumnDefinition,
  type: Type,
  before: readonly HeaderColumn[],
): HeaderColumn {
  const key = constraint?.kind === 'Header' ? constraint.key : null;
  const what = key === null ? 'HEADERS' : `HEADER('${key}')`;
  const fits = key === null ? typeEquals(type, HEADERS_TYPE) : type.kind === 'BYTES';
  if (!fits) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `the ${what} column ${name.text} is ${typeText(type)}`,
      at,
      `It is ${typeText(key === null ? HEADERS_TYPE : BYTES)}.`,
    );
  }
  const [first] = before;
  const column = { column: name.text, key };
  if (first === undefined) return column;
  if (key === null || first.key === null) {
    throw new StatementError(
      'INVALID',
      `a HEADERS column stands beside other header columns`,
      at,
      'Declare one column with all headers, or columns for single ones.',
    );
  }
  if (before.some((other) => other.key === key)) {
    throw new StatementError(
      'INVALID',
      `two columns read the header '${key}'`,
      at,
      'Keep one of them.',
    );
  }
  return column;
}
