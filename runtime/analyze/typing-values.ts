// Types of literals, CAST, CASE, constructors, fields and subscripts; knows no functions and no columns.

import { messageOf, type Position, StatementError } from '../base/errors.ts';
import { didYouMean } from '../catalog/words.ts';
import { resolveType } from '../catalog/types.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  type Type,
  typeText,
} from '../data/type.ts';
import { castOf } from '../expr/cast.ts';
import type { Expr } from '../expr/expr.ts';
import type {
  ArrayConstructor,
  Cast,
  Expression,
  Field,
  Literal,
  MapConstructor,
  SearchedCase,
  SimpleCase,
  StructConstructor,
  Subscript,
  TypedLiteral,
} from '../sql/ast.ts';
import { coerced, nullOf } from './coerced.ts';
import { canCast, commonType, isTemporal, literalText } from './coercion.ts';
import { withTextRead } from './text-literal.ts';
import { expect, known, type Typer } from './typer.ts';
import { compared } from './typing-operators.ts';

/** The literal as it is typed by the way it is written; null for NULL. */
export function inferLiteral(node: Literal): Expr | null {
  switch (node.kind) {
    case 'Null':
      return null;
    case 'Boolean':
      return { expr: 'literal', value: node.value, type: BOOLEAN };
    case 'Integer':
      return { expr: 'literal', value: node.value, type: INTEGER };
    case 'Long':
      return { expr: 'literal', value: String(node.value), type: BIGINT };
    case 'Double':
      return { expr: 'literal', value: node.value, type: DOUBLE };
    case 'Decimal':
      return { expr: 'literal', value: node.text, type: decimalOf(node.text) };
    case 'String':
      return { expr: 'literal', value: node.value, type: STRING };
  }
}

/** The DECIMAL with just the digits of that text. */
function decimalOf(text: string): Type {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const digits = whole.replace(/^0+/, '').length + fraction.length;
  return decimal(Math.max(1, digits), fraction.length);
}

/** `DATE '2026-01-31'`. @throws {StatementError} TYPE_MISMATCH when the text is none */
export function inferTypedLiteral(typer: Typer, node: TypedLiteral): Expr {
  const type = resolveType(
    { kind: 'NamedType', name: node.type, parameters: [], at: node.at },
    typer.context.types,
  );
  try {
    castOf(STRING, type)(node.value);
  } catch (thrown) {
    throw new StatementError('TYPE_MISMATCH', messageOf(thrown), node.at);
  }
  return { expr: 'cast', argument: { expr: 'literal', value: node.value, type: STRING }, type };
}

export function inferCast(typer: Typer, node: Cast): Expr {
  const argument = typer.infer(node.operand);
  const type = resolveType(node.type, typer.context.types);
  if (argument === null) return nullOf(type);
  if (canCast(argument.type, type)) return coerced(argument, type);
  throw new StatementError(
    'TYPE_MISMATCH',
    `there is no CAST of ${typeText(argument.type)} to ${typeText(type)}`,
    node.at,
  );
}

/** CASE over WHEN conditions; the simple form compares its operand with each. */
export function inferCase(typer: Typer, node: SearchedCase | SimpleCase): Expr {
  const operand = node.kind === 'SimpleCase' ? typer.infer(node.operand) : null;
  const branches = node.whens.map((when) => {
    const condition = typer.infer(when.condition);
    return {
      when:
        node.kind === 'SimpleCase'
          ? compared('=', operand, condition, when.at)
          : expect(condition, BOOLEAN, when.condition.at, 'the condition of WHEN'),
      then: typer.infer(when.result),
    };
  });
  const otherwise = node.otherwise === null ? null : typer.infer(node.otherwise);
  const results = [
    ...node.whens.map((when, index) => ({
      value: branches[index]?.then ?? null,
      at: when.result.at,
    })),
    ...(node.otherwise === null ? [] : [{ value: otherwise, at: node.otherwise.at }]),
  ];
  const isText = (value: Expr | null): boolean => value?.type.kind === 'STRING';
  const first = results.find(({ value }) => value !== null)?.value ?? null;
  for (const { value, at } of results) {
    // Unlike in lists, no literal is read as what stands beside it.
    if (value !== null && first !== null && isText(value) !== isText(first))
      throw strangers(first.type, value.type, 'this CASE', at);
  }
  const type = sharedType(results, 'this CASE', node.at);
  return {
    expr: 'case',
    branches: branches.map(({ when, then }) => ({ when, then: coerced(then, type) })),
    otherwise: node.otherwise === null ? null : coerced(otherwise, type),
    type,
  };
}

interface Item {
  readonly value: Expr | null;
  readonly at: Position;
}

/** The type that all items share. NULL, and text literals beside times, take the type of the others. */
function sharedType(all: readonly Item[], what: string, at: Position): Type {
  const isTimes = all.some(({ value }) => value !== null && isTemporal(value.type));
  let type: Type | null = null;
  for (const { value, at: itemAt } of all) {
    if (value === null || (isTimes && literalText(value) !== null)) continue;
    const next: Type | null = type === null ? value.type : commonType(type, value.type);
    if (type !== null && next === null) throw strangers(type, value.type, what, itemAt);
    type = next;
  }
  if (type !== null) return type;
  throw new StatementError(
    'TYPE_MISMATCH',
    `nothing but NULL stands in ${what}, so that its type is not known`,
    at,
    'CAST one NULL to the type that is meant.',
  );
}

function strangers(type: Type, other: Type, what: string, at: Position): StatementError {
  return new StatementError(
    'TYPE_MISMATCH',
    `${typeText(type)} and ${typeText(other)} stand together in ${what}`,
    at,
    'All of them are of one type: CAST where they differ.',
  );
}

/** The items of a constructor, each with its literals read as what stands before it. */
function items(typer: Typer, nodes: readonly Expression[]): Item[] {
  let type: Type | null = null;
  return nodes.map((node) => {
    let value = typer.infer(node);
    if (value !== null && type !== null) value = withTextRead(value, type, node.at);
    if (value !== null) type = type === null ? value.type : (commonType(type, value.type) ?? type);
    return { value, at: node.at };
  });
}

function refuseEmpty(what: string, at: Position): StatementError {
  return new StatementError('INVALID', `${what} has no items, so that its type is not known`, at);
}

export function inferArray(typer: Typer, node: ArrayConstructor): Expr {
  if (node.elements.length === 0) throw refuseEmpty('this ARRAY', node.at);
  const all = items(typer, node.elements);
  const type = sharedType(all, 'this ARRAY', node.at);
  return {
    expr: 'array',
    items: all.map(({ value }) => coerced(value, type)),
    type: array(type),
  };
}

export function inferMap(typer: Typer, node: MapConstructor): Expr {
  if (node.entries.length === 0) throw refuseEmpty('this MAP', node.at);
  const keys = items(
    typer,
    node.entries.map((entry) => entry.key),
  );
  const values = items(
    typer,
    node.entries.map((entry) => entry.value),
  );
  const keyType = sharedType(keys, 'the keys of this MAP', node.at);
  const valueType = sharedType(values, 'this MAP', node.at);
  return {
    expr: 'map',
    entries: keys.map((key, index) => ({
      key: coerced(key.value, keyType),
      value: coerced(values[index]?.value ?? null, valueType),
    })),
    type: map(keyType, valueType),
  };
}

export function inferStruct(typer: Typer, node: StructConstructor): Expr {
  const seen = new Set<string>();
  const fields = node.fields.map((field) => {
    if (seen.has(field.name.text)) {
      throw new StatementError(
        'INVALID',
        `the field ${field.name.text} stands twice in one STRUCT`,
        field.name.at,
        'Give each field its own name.',
      );
    }
    seen.add(field.name.text);
    return { name: field.name.text, value: known(typer.infer(field.value), field.value.at) };
  });
  return {
    expr: 'struct',
    fields: fields.map((field) => field.value),
    type: struct(fields.map((field) => ({ name: field.name, type: field.value.type }))),
  };
}

export function inferField(typer: Typer, node: Field): Expr {
  const base = known(typer.infer(node.operand), node.operand.at);
  if (base.type.kind !== 'STRUCT') {
    throw new StatementError(
      'TYPE_MISMATCH',
      `${typeText(base.type)} has no fields`,
      node.at,
      '-> reads a field of a STRUCT.',
    );
  }
  const { fields } = base.type;
  const index = fields.findIndex((field) => field.name === node.field.text);
  const field = fields[index];
  if (field !== undefined) return { expr: 'field', base, field: index, type: field.type };
  const names = fields.map((candidate) => candidate.name);
  throw new StatementError(
    'UNKNOWN_COLUMN',
    `the STRUCT has no field ${node.field.text}`,
    node.field.at,
    didYouMean(node.field.text, names, `Its fields are ${names.join(', ')}.`),
  );
}

export function inferSubscript(typer: Typer, node: Subscript): Expr {
  const base = known(typer.infer(node.operand), node.operand.at);
  const index = typer.infer(node.index);
  switch (base.type.kind) {
    case 'ARRAY':
      return {
        expr: 'subscript',
        base,
        index: expectWhole(index, node.index.at),
        type: base.type.item,
      };
    case 'MAP':
      return {
        expr: 'subscript',
        base,
        index: coerced(
          expect(index, base.type.key, node.index.at, 'the key of a MAP'),
          base.type.key,
        ),
        type: base.type.value,
      };
    default:
      throw new StatementError(
        'TYPE_MISMATCH',
        `${typeText(base.type)} has no items`,
        node.at,
        '[...] reads an item of an ARRAY or a MAP.',
      );
  }
}

function expectWhole(index: Expr | null, at: Position): Expr {
  if (index?.type.kind === 'BIGINT') return index;
  return expect(index, INTEGER, at, 'the index of an ARRAY');
}
