// Checks what few sources declare: header columns and windowed keys; knows no query.

import { StatementError } from '../base/errors.ts';
import type { SourceProperties } from '../catalog/properties.ts';
import type { HeaderColumn, KeyWindow } from '../catalog/source.ts';
import { HEADERS_TYPE, isHeadersType } from '../catalog/types.ts';
import { BYTES, type Type, typeText } from '../data/type.ts';
import type { ColumnDefinition } from '../sql/ast.ts';

/** A header column has the type that it is filled with, and stands beside such as do not say the same. */
export function checkHeader(
  definition: ColumnDefinition,
  type: Type,
  key: string | null,
  before: readonly HeaderColumn[],
): void {
  const what = key === null ? 'HEADERS' : `HEADER('${key}')`;
  const fits = key === null ? isHeadersType(type) : type.kind === 'BYTES';
  if (!fits) {
    throw new StatementError(
      'TYPE_MISMATCH',
      `the ${what} column ${definition.name.text} is ${typeText(type)}`,
      definition.at,
      `It is ${typeText(key === null ? HEADERS_TYPE : BYTES)}.`,
    );
  }
  const [first] = before;
  if (first === undefined) return;
  if (key === null || first.key === null) {
    throw new StatementError(
      'INVALID',
      `a HEADERS column stands beside other header columns`,
      definition.at,
      'Declare one column with all headers, or columns for single ones.',
    );
  }
  if (before.some((other) => other.key === key)) {
    throw new StatementError(
      'INVALID',
      `two columns read the header '${key}'`,
      definition.at,
      'Keep one of them.',
    );
  }
}

/** The window that the keys hold; one of the two properties is given. */
export function windowOf({ windowType, windowSizeMs }: SourceProperties): KeyWindow | null {
  if (windowType === null) {
    if (windowSizeMs === null) return null;
    throw new StatementError(
      'INVALID',
      'WINDOW_SIZE without WINDOW_TYPE',
      windowSizeMs.at,
      'Add WINDOW_TYPE.',
    );
  }
  if (windowType.value === 'SESSION') {
    if (windowSizeMs === null) return { type: 'SESSION', sizeMs: null };
    throw new StatementError(
      'SYNTAX',
      'WINDOW_SIZE of a SESSION window',
      windowSizeMs.at,
      'Sessions differ in size: leave it out.',
    );
  }
  if (windowSizeMs === null) {
    throw new StatementError(
      'INVALID',
      `a ${windowType.value} window without WINDOW_SIZE`,
      windowType.at,
      'Add WINDOW_SIZE.',
    );
  }
  return { type: windowType.value, sizeMs: windowSizeMs.value };
}
