// The syntax tree of expressions and type names; it holds what was written and knows neither columns, functions nor resolved types.

import type { Position } from '../base/errors.ts';

/**
 * A name as the language reads it: written plain it is upper-cased, within backticks it is exact, so two
 * names are the same when their `text` is. Write it back with `formatName`.
 */
export interface Name {
  readonly text: string;
  readonly at: Position;
}

/**
 * Every expression.
 *
 * `at` is where the expression's first token stands, but an infix node (Arithmetic, Comparison, Logical,
 * Between, In, Like, IsNull, IsDistinct, Field, Subscript, AtTimeZone) stands at its operator, which is what an error is about.
 * Parentheses leave no node. Nesting is at most AST_DEPTH_MAX, so recursion over a tree is safe.
 */
export type Expression =
  | Literal
  | TypedLiteral
  | IntervalUnit
  | Column
  | Field
  | Subscript
  | Call
  | Lambda
  | Arithmetic
  | Negate
  | Comparison
  | Logical
  | Not
  | Between
  | In
  | Like
  | IsNull
  | IsDistinct
  | SimpleCase
  | SearchedCase
  | Cast
  | ArrayConstructor
  | MapConstructor
  | StructConstructor
  | AtTimeZone;

/** A constant that stands for itself; the only values that properties take. */
export type Literal =
  | NullLiteral
  | BooleanLiteral
  | IntegerLiteral
  | LongLiteral
  | DecimalLiteral
  | DoubleLiteral
  | StringLiteral;

/** `NULL`. */
export interface NullLiteral {
  readonly kind: 'Null';
  readonly at: Position;
}

/** `TRUE` or `FALSE`. */
export interface BooleanLiteral {
  readonly kind: 'Boolean';
  readonly value: boolean;
  readonly at: Position;
}

/** Whole digits within 32 bits, an INT. A minus sign directly before a number belongs to the literal. */
export interface IntegerLiteral {
  readonly kind: 'Integer';
  readonly value: number;
  readonly at: Position;
}

/** Whole digits beyond 32 but within 64 bits, a BIGINT. */
export interface LongLiteral {
  readonly kind: 'Long';
  readonly value: bigint;
  readonly at: Position;
}

/**
 * Digits with a point and no exponent, a DECIMAL. `text` is `-?digits(.digits)?` with no superfluous leading
 * zero; trailing zeros are kept, because the digits after the point are the scale (`1.` has text '1', scale 0).
 */
export interface DecimalLiteral {
  readonly kind: 'Decimal';
  readonly text: string;
  readonly at: Position;
}

/** A number with an exponent, a DOUBLE; always finite. */
export interface DoubleLiteral {
  readonly kind: 'Double';
  readonly value: number;
  readonly at: Position;
}

/** Text in single quotes, unescaped. */
export interface StringLiteral {
  readonly kind: 'String';
  readonly value: string;
  readonly at: Position;
}

/** `DATE '2026-01-31'`: a type name directly before text. */
export interface TypedLiteral {
  readonly kind: 'TypedLiteral';
  readonly type: Name;
  readonly value: string;
  readonly at: Position;
}

/** A unit of time; singular and plural spellings are one. */
export type TimeUnit = 'MILLISECONDS' | 'SECONDS' | 'MINUTES' | 'HOURS' | 'DAYS';

/**
 * A bare unit as an argument: `DATEADD(DAYS, 1, d)`. The words DAY, HOUR, MINUTE and SECOND may also name
 * columns and therefore parse as Column; a function that wants a unit accepts those columns as units.
 */
export interface IntervalUnit {
  readonly kind: 'IntervalUnit';
  readonly unit: TimeUnit;
  readonly at: Position;
}

/** `name` or `source.name`; within a lambda's body also the lambda's parameters. */
export interface Column {
  readonly kind: 'Column';
  readonly source: Name | null;
  readonly name: Name;
  readonly at: Position;
}

/** `operand->field` of a STRUCT. */
export interface Field {
  readonly kind: 'Field';
  readonly operand: Expression;
  readonly field: Name;
  readonly at: Position;
}

/** `operand[index]` of an ARRAY (1-based, negative from the end) or a MAP. */
export interface Subscript {
  readonly kind: 'Subscript';
  readonly operand: Expression;
  readonly index: Expression;
  readonly at: Position;
}

/** `name(arguments)`; `star` is `COUNT(*)` or another aggregate of `*`, whose `arguments` are empty. */
export interface Call {
  readonly kind: 'Call';
  readonly name: Name;
  readonly arguments: readonly Expression[];
  readonly star: boolean;
  readonly at: Position;
}

/** `x => body` or `(x, y) => body`; stands only as an argument of a Call. */
export interface Lambda {
  readonly kind: 'Lambda';
  readonly parameters: readonly Name[];
  readonly body: Expression;
  readonly at: Position;
}

/** Arithmetic; `+` joins texts. `a || b` is a Call of CONCAT. */
export interface Arithmetic {
  readonly kind: 'Arithmetic';
  readonly operator: '+' | '-' | '*' | '/' | '%';
  readonly left: Expression;
  readonly right: Expression;
  readonly at: Position;
}

/** Unary `-` or `+` before something other than a number. */
export interface Negate {
  readonly kind: 'Negate';
  readonly operator: '-' | '+';
  readonly operand: Expression;
  readonly at: Position;
}

/** `<>` and `!=` are both '<>'; `=` and `==` are both '='. Comparisons do not chain. */
export interface Comparison {
  readonly kind: 'Comparison';
  readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>=';
  readonly left: Expression;
  readonly right: Expression;
  readonly at: Position;
}

/** A run of one operator, two operands or more, evaluated left to right; `a AND b AND c` is one node. */
export interface Logical {
  readonly kind: 'Logical';
  readonly operator: 'AND' | 'OR';
  readonly operands: readonly Expression[];
  readonly at: Position;
}

/** `NOT operand`. */
export interface Not {
  readonly kind: 'Not';
  readonly operand: Expression;
  readonly at: Position;
}

/** Bounds are inclusive. */
export interface Between {
  readonly kind: 'Between';
  readonly negated: boolean;
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly at: Position;
}

/** `options` has at least one element. */
export interface In {
  readonly kind: 'In';
  readonly negated: boolean;
  readonly operand: Expression;
  readonly options: readonly Expression[];
  readonly at: Position;
}

/** `escape` is one character (UTF-16 unit), or null: then nothing escapes. */
export interface Like {
  readonly kind: 'Like';
  readonly negated: boolean;
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly escape: string | null;
  readonly at: Position;
}

/** `operand IS [NOT] NULL`. */
export interface IsNull {
  readonly kind: 'IsNull';
  readonly negated: boolean;
  readonly operand: Expression;
  readonly at: Position;
}

/** `left IS [NOT] DISTINCT FROM right`: comparison in which null equals null. */
export interface IsDistinct {
  readonly kind: 'IsDistinct';
  readonly negated: boolean;
  readonly left: Expression;
  readonly right: Expression;
  readonly at: Position;
}

/** One `WHEN condition THEN result`; in a SimpleCase the condition is the value compared with. */
export interface When {
  readonly condition: Expression;
  readonly result: Expression;
  readonly at: Position;
}

/** `CASE operand WHEN value THEN result ... [ELSE otherwise] END`. */
export interface SimpleCase {
  readonly kind: 'SimpleCase';
  readonly operand: Expression;
  readonly whens: readonly When[];
  readonly otherwise: Expression | null;
  readonly at: Position;
}

/** `CASE WHEN condition THEN result ... [ELSE otherwise] END`. */
export interface SearchedCase {
  readonly kind: 'SearchedCase';
  readonly whens: readonly When[];
  readonly otherwise: Expression | null;
  readonly at: Position;
}

/** `CAST(operand AS type)`. */
export interface Cast {
  readonly kind: 'Cast';
  readonly operand: Expression;
  readonly type: TypeName;
  readonly at: Position;
}

/** `ARRAY[a, b]`. */
export interface ArrayConstructor {
  readonly kind: 'Array';
  readonly elements: readonly Expression[];
  readonly at: Position;
}

/** `MAP(k := v, ...)`. */
export interface MapConstructor {
  readonly kind: 'Map';
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
  readonly at: Position;
}

/** `STRUCT(a := x, ...)`. */
export interface StructConstructor {
  readonly kind: 'Struct';
  readonly fields: readonly { readonly name: Name; readonly value: Expression }[];
  readonly at: Position;
}

/** `operand AT TIME ZONE 'zone'`. */
export interface AtTimeZone {
  readonly kind: 'AtTimeZone';
  readonly operand: Expression;
  readonly zone: string;
  readonly at: Position;
}

/** A type as written; custom type names are resolved later, against the catalog. */
export type TypeName = NamedType | DecimalType | ArrayType | MapType | StructType;

/** Any type that is one word: BOOLEAN, INT, INTEGER, VARCHAR(255), or a custom type. `parameters` mean nothing for the built-in ones. */
export interface NamedType {
  readonly kind: 'NamedType';
  readonly name: Name;
  readonly parameters: readonly number[];
  readonly at: Position;
}

/** `DECIMAL(precision, scale)`; whether the two fit each other is checked later. */
export interface DecimalType {
  readonly kind: 'DecimalType';
  readonly precision: number;
  readonly scale: number;
  readonly at: Position;
}

/** `ARRAY<element>`, or `element ARRAY`. */
export interface ArrayType {
  readonly kind: 'ArrayType';
  readonly element: TypeName;
  readonly at: Position;
}

/** `MAP<key, value>`. */
export interface MapType {
  readonly kind: 'MapType';
  readonly key: TypeName;
  readonly value: TypeName;
  readonly at: Position;
}

/** `STRUCT<name type, ...>`; may be without fields. */
export interface StructType {
  readonly kind: 'StructType';
  readonly fields: readonly { readonly name: Name; readonly type: TypeName }[];
  readonly at: Position;
}
