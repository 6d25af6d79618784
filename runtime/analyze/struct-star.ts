// What `->*` in a SELECT stands for: every field of the STRUCT, under its own name; knows no clauses' rules.

import { StatementError } from '../base/errors.ts';
import { type Type, typeText } from '../data/type.ts';
import type { SelectItem } from '../sql/ast.ts';
import type { Item } from './names.ts';

type StructStar = SelectItem & { readonly kind: 'StructStar' };

/** The items of `operand->*`. @param type the operand's @throws {StatementError} TYPE_MISMATCH when it is no STRUCT */
export function fieldItems({ operand, at }: StructStar, type: Type): Item[] {
  if (type.kind !== 'STRUCT') {
    throw new StatementError(
      'TYPE_MISMATCH',
      `${typeText(type)} has no fields`,
      at,
      '->* stands behind a STRUCT, and is all of its fields.',
    );
  }
  return type.fields.map(({ name }) => {
    const field = { text: name, at };
    return {
      node: { kind: 'Field', operand, field, at },
      alias: field,
      star: false,
      at,
    };
  });
}
