// Writes expressions and type names back as SQL, with no more parentheses than the grammar needs; knows nothing of statements.

import { exhaustive } from '../base/assert.ts';
import type { Expression, Literal, TypeName, When } from './ast.ts';
import { escapeVariables, formatName } from './format-name.ts';

// How tightly each kind binds, as in expression.ts; a part that binds less tightly than its place asks for gets parentheses.
const ANY = 0;
const OR = 1;
const AND = 2;
const NOT = 3;
const PREDICATE = 4;
const JOIN = 5;
const SUM = 6;
const PRODUCT = 7;
const SIGN = 8;
const ZONE = 9;
const PRIMARY = 10;

/** The SQL of an expression, on one line. Parsed again it is the same tree. */
export function printExpression(expression: Expression): string {
  return print(expression, ANY);
}

/** As `printExpression`, for places that take no condition: a condition comes in parentheses. */
export function printOperand(expression: Expression): string {
  return print(expression, JOIN);
}

/** As `printExpression`, for what stands before `->*`. */
export function printPrimary(expression: Expression): string {
  return print(expression, PRIMARY);
}

/** The SQL of a constant. */
export function printLiteral(literal: Literal): string {
  switch (literal.kind) {
    case 'Null':
      return 'NULL';
    case 'Boolean':
      return literal.value ? 'TRUE' : 'FALSE';
    case 'Integer':
    case 'Long':
      return String(literal.value);
    case 'Decimal':
      return literal.text.includes('.') ? literal.text : `${literal.text}.`;
    case 'Double': {
      // toExponential drops the sign of zero.
      const sign = Object.is(literal.value, -0) ? '-' : '';
      return sign + literal.value.toExponential().replace('e+', 'E').replace('e', 'E');
    }
    case 'String':
      return printString(literal.value);
    default:
      return exhaustive(literal);
  }
}

/** Text in single quotes. */
export function printString(text: string): string {
  return `'${escapeVariables(text).replaceAll("'", "''")}'`;
}

/** The SQL of a type name. */
export function printType(type: TypeName): string {
  switch (type.kind) {
    case 'NamedType': {
      const parameters = type.parameters.length === 0 ? '' : `(${type.parameters.join(', ')})`;
      return formatName(type.name.text) + parameters;
    }
    case 'DecimalType':
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case 'ArrayType':
      return `ARRAY<${printType(type.element)}>`;
    case 'MapType':
      return `MAP<${printType(type.key)}, ${printType(type.value)}>`;
    case 'StructType':
      return `STRUCT<${list(type.fields, ({ name, type }) => `${formatName(name.text)} ${printType(type)}`)}>`;
    default:
      return exhaustive(type);
  }
}

function print(expression: Expression, level: number): string {
  const text = bare(expression);
  return levelOf(expression) < level ? `(${text})` : text;
}

function levelOf(expression: Expression): number {
  switch (expression.kind) {
    case 'Logical':
      return expression.operator === 'OR' ? OR : AND;
    case 'Not':
      return NOT;
    case 'Comparison':
    case 'Between':
    case 'In':
    case 'Like':
    case 'IsNull':
    case 'IsDistinct':
      return PREDICATE;
    case 'Arithmetic':
      return arithmeticLevel(expression.operator);
    case 'Negate':
      return SIGN;
    case 'AtTimeZone':
      return ZONE;
    default:
      return PRIMARY;
  }
}

function arithmeticLevel(operator: '+' | '-' | '*' | '/' | '%'): number {
  return operator === '+' || operator === '-' ? SUM : PRODUCT;
}

function bare(expression: Expression): string {
  switch (expression.kind) {
    case 'TypedLiteral':
      return `${formatName(expression.type.text)} ${printString(expression.value)}`;
    case 'IntervalUnit':
      return expression.unit;
    case 'Column': {
      const source = expression.source === null ? '' : `${formatName(expression.source.text)}.`;
      return source + formatName(expression.name.text);
    }
    case 'Field':
      return `${print(expression.operand, PRIMARY)}->${formatName(expression.field.text)}`;
    case 'Subscript':
      return `${print(expression.operand, PRIMARY)}[${print(expression.index, JOIN)}]`;
    case 'Call': {
      const parameters = expression.star ? '*' : list(expression.arguments, printExpression);
      return `${formatName(expression.name.text)}(${parameters})`;
    }
    case 'Lambda': {
      const names = list(expression.parameters, ({ text }) => formatName(text));
      const parameters = expression.parameters.length === 1 ? names : `(${names})`;
      return `${parameters} => ${print(expression.body, ANY)}`;
    }
    case 'Arithmetic': {
      const level = arithmeticLevel(expression.operator);
      const left = print(expression.left, level);
      return `${left} ${expression.operator} ${print(expression.right, level + 1)}`;
    }
    case 'Negate':
      return sign(expression.operator, print(expression.operand, SIGN));
    case 'Comparison': {
      const left = print(expression.left, JOIN);
      return `${left} ${expression.operator} ${print(expression.right, JOIN)}`;
    }
    case 'Logical': {
      const level = expression.operator === 'OR' ? AND : NOT;
      return expression.operands
        .map((operand) => print(operand, level))
        .join(` ${expression.operator} `);
    }
    case 'Not':
      return `NOT ${print(expression.operand, NOT)}`;
    case 'Between': {
      const bounds = `${print(expression.low, JOIN)} AND ${print(expression.high, JOIN)}`;
      return `${print(expression.operand, JOIN)}${not(expression)} BETWEEN ${bounds}`;
    }
    case 'In':
      return `${print(expression.operand, JOIN)}${not(expression)} IN (${list(expression.options, printExpression)})`;
    case 'Like': {
      const escape = expression.escape === null ? '' : ` ESCAPE ${printString(expression.escape)}`;
      return `${print(expression.operand, JOIN)}${not(expression)} LIKE ${print(expression.pattern, JOIN)}${escape}`;
    }
    case 'IsNull':
      return `${print(expression.operand, JOIN)} IS${not(expression)} NULL`;
    case 'IsDistinct': {
      const right = print(expression.right, JOIN);
      return `${print(expression.left, JOIN)} IS${not(expression)} DISTINCT FROM ${right}`;
    }
    case 'SimpleCase':
      return `CASE ${print(expression.operand, JOIN)} ${branches(expression)}`;
    case 'SearchedCase':
      return `CASE ${branches(expression)}`;
    case 'Cast':
      return `CAST(${print(expression.operand, ANY)} AS ${printType(expression.type)})`;
    case 'Array':
      return `ARRAY[${list(expression.elements, printExpression)}]`;
    case 'Map': {
      const entries = list(
        expression.entries,
        ({ key, value }) => `${printExpression(key)} := ${printExpression(value)}`,
      );
      return `MAP(${entries})`;
    }
    case 'Struct': {
      const fields = list(
        expression.fields,
        ({ name, value }) => `${formatName(name.text)} := ${printExpression(value)}`,
      );
      return `STRUCT(${fields})`;
    }
    case 'AtTimeZone':
      return `${print(expression.operand, ZONE)} AT TIME ZONE ${printString(expression.zone)}`;
    default:
      return printLiteral(expression);
  }
}

/** A minus before a number would become part of it, and two minus signs would start a comment. */
function sign(operator: '-' | '+', operand: string): string {
  if (operator === '+') return `+${operand}`;
  if (/^[\d.]/.test(operand)) return `-(${operand})`;
  return operand.startsWith('-') ? `- ${operand}` : `-${operand}`;
}

function not({ negated }: { readonly negated: boolean }): string {
  return negated ? ' NOT' : '';
}

function branches(cases: {
  readonly whens: readonly When[];
  readonly otherwise: Expression | null;
}): string {
  const whens = cases.whens.map(
    ({ condition, result }) =>
      `WHEN ${printExpression(condition)} THEN ${printExpression(result)} `,
  );
  const otherwise = cases.otherwise === null ? '' : `ELSE ${printExpression(cases.otherwise)} `;
  return `${whens.join('')}${otherwise}END`;
}

function list<T>(items: readonly T[], print: (item: T) => string): string {
  return items.map(print).join(', ');
}
