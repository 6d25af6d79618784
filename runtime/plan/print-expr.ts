// Prints typed expressions with the column names of their schema, for EXPLAIN; knows no steps.

import type { Schema } from '../data/schema.ts';
import { typeText } from '../data/type.ts';
import type { Expr } from '../expr/expr.ts';

/** The expression as text, close to the SQL that it came from. */
export function exprText(of: Expr, over: Schema): string {
  const text = (part: Expr): string => exprText(part, over);
  const list = (parts: readonly Expr[]): string => parts.map(text).join(', ');
  switch (of.expr) {
    case 'column':
      return over.columns[of.index]?.name ?? `#${of.index}`;
    case 'literal':
      return literalText(of);
    case 'call':
      return `${of.function}(${list(of.arguments)})`;
    case 'cast':
      return `CAST(${text(of.argument)} AS ${typeText(of.type)})`;
    case 'compare':
      return `(${text(of.left)} ${of.op} ${text(of.right)})`;
    case 'distinct':
      return `(${text(of.left)} IS ${of.distinct ? '' : 'NOT '}DISTINCT FROM ${text(of.right)})`;
    case 'logic':
      return `(${text(of.left)} ${of.op} ${text(of.right)})`;
    case 'not':
      return `(NOT ${text(of.argument)})`;
    case 'isNull':
      return `(${text(of.argument)} IS ${of.negated ? 'NOT ' : ''}NULL)`;
    case 'arithmetic':
      return `(${text(of.left)} ${of.op} ${text(of.right)})`;
    case 'negate':
      return `(-${text(of.argument)})`;
    case 'concat':
      return `(${text(of.left)} + ${text(of.right)})`;
    case 'in':
      return `(${text(of.argument)} ${of.negated ? 'NOT ' : ''}IN (${list(of.list)}))`;
    case 'like':
      return `(${text(of.argument)} ${of.negated ? 'NOT ' : ''}LIKE ${text(of.pattern)}${of.escape === null ? '' : ` ESCAPE '${of.escape}'`})`;
    case 'case': {
      const branches = of.branches.map(
        ({ when, then }) => ` WHEN ${text(when)} THEN ${text(then)}`,
      );
      const otherwise = of.otherwise === null ? '' : ` ELSE ${text(of.otherwise)}`;
      return `(CASE${branches.join('')}${otherwise} END)`;
    }
    case 'subscript':
      return `${text(of.base)}[${text(of.index)}]`;
    case 'field':
      return `${text(of.base)}->${of.base.type.kind === 'STRUCT' ? (of.base.type.fields[of.field]?.name ?? '') : ''}`;
    case 'array':
      return `ARRAY[${list(of.items)}]`;
    case 'map':
      return `MAP(${of.entries.map(({ key, value }) => `${text(key)} := ${text(value)}`).join(', ')})`;
    case 'struct': {
      const fields = of.type.kind === 'STRUCT' ? of.type.fields : [];
      return `STRUCT(${of.fields.map((field, index) => `${fields[index]?.name ?? ''} := ${text(field)}`).join(', ')})`;
    }
    case 'lambda':
      return `(${of.parameters.map((parameter) => parameter.name).join(', ')}) => ${text(of.body)}`;
    case 'parameter':
      return of.name;
  }
}

function literalText({ value, type }: Expr & { readonly expr: 'literal' }): string {
  if (value === null) return 'NULL';
  if (type.kind === 'STRING') return `'${String(value).replaceAll("'", "''")}'`;
  return String(value);
}
