// Types as the authors of functions write them: SQL text to patterns, and the JavaScript values that stand for them; knows no function.

import { cutAtCommas, parseType } from '../data/type-text.ts';
import { type Type, typeText, type Value } from '../data/type.ts';
import { DECIMALS, of } from './declare.ts';
import { EACH_ANY } from './declare-rare.ts';
import type { Parameter, Pattern } from './registry.ts';
import { type Bindings, fit, parametersFor, substituted } from './resolve.ts';

/**
 * A type, as SQL text or as a `Type`. Text is what CREATE takes (`INT`, `VARCHAR`, `DECIMAL(10, 2)`, `ARRAY<BIGINT>`,
 * ``STRUCT<A INT, `b` STRING>``), and for parameters also:
 * - one capital letter, a digit behind it or not (`T`, `K1`, `ARRAY<T>`): a type variable, which is the same type wherever it stands;
 * - `ANY`: any type, each argument its own;
 * - `DECIMAL`, `STRUCT`: of any size, of any fields.
 */
export type WrittenType = string | Type;

interface Plain {
  BOOLEAN: boolean;
  INT: number;
  INTEGER: number;
  BIGINT: bigint;
  DOUBLE: number;
  DECIMAL: bigint;
  STRING: string;
  VARCHAR: string;
  BYTES: Uint8Array;
  TIME: number;
  DATE: number;
  TIMESTAMP: number;
}

/** The JavaScript type of the values of a written type, nulls aside; see the table at `Type`. What the text does not tell is any value. */
export type ValueOf<T> = T extends keyof Plain
  ? Plain[T]
  : T extends `DECIMAL(${string}`
    ? bigint
    : T extends `ARRAY<${infer Item}>`
      ? readonly (ValueOf<Item> | null)[]
      : Exclude<Value, null>;

/** Names and keywords count in any case, quoted names as they are. */
function normalized(text: string): string {
  return text
    .trim()
    .replaceAll(/`(?:[^`]|``)*`|[A-Za-z]+/g, (part) =>
      part.startsWith('`') ? part : part.toUpperCase(),
    )
    .replaceAll(/\bVARCHAR\b/g, 'STRING');
}

/** @throws {TypeError} for text that is no type */
export function patternOf(written: WrittenType): Pattern {
  if (typeof written !== 'string') return of(written);
  const pattern = read(normalized(written));
  if (pattern === null) throw new TypeError(`'${written}' is no type`);
  return pattern;
}

function read(text: string): Pattern | null {
  const type = parseType(text);
  if (type !== null) return of(type);
  if (text === 'ANY') return EACH_ANY;
  if (text === 'DECIMAL') return DECIMALS;
  if (text === 'STRUCT') return { pattern: 'anyStruct', variable: 'STRUCT' };
  if (/^[A-Z]\d?$/.test(text)) return { pattern: 'any', variable: text };
  const nested = /^(ARRAY|MAP)<(.*)>$/s.exec(text);
  if (nested === null) return null;
  const [first = null, second = null, ...more] = cutAtCommas(nested[2] ?? '').map(read);
  if (first === null || more.length > 0) return null;
  if (nested[1] === 'ARRAY') return second === null ? { pattern: 'array', item: first } : null;
  return second === null ? null : { pattern: 'map', key: first, value: second };
}

/** The type of a pattern over the types of a call's arguments, as they were cast; null where it has a variable that they do not bind. */
function typeOver(
  pattern: Pattern,
  parameters: readonly Parameter[],
  types: readonly Type[],
): Type | null {
  const bindings: Bindings = new Map();
  const declared = parametersFor(parameters, types.length) ?? [];
  declared.forEach((parameter, index) => {
    const type = types[index];
    if (type !== undefined) fit(type, parameter.pattern, bindings);
  });
  return substituted(pattern, null, bindings);
}

function shown(written: WrittenType): string {
  return typeof written === 'string' ? `'${written}'` : typeText(written);
}

/** The variables of a pattern; those of a type that is not given whole are no variables to be given elsewhere. */
function variablesOf(pattern: Pattern): readonly string[] {
  switch (pattern.pattern) {
    case 'any':
    case 'anyStruct':
      return [pattern.variable];
    case 'array':
      return variablesOf(pattern.item);
    case 'map':
      return [...variablesOf(pattern.key), ...variablesOf(pattern.value)];
    case 'decimal':
      return ['DECIMAL'];
    default:
      return [];
  }
}

/**
 * What a written type is once the types of the arguments are known.
 * @throws {TypeError} for text that is no type, and for variables that no parameter has
 */
export function resolvedType(
  written: WrittenType,
  parameters: readonly Parameter[],
): (argumentTypes: readonly Type[]) => Type {
  const pattern = patternOf(written);
  const known = new Set(parameters.flatMap((parameter) => variablesOf(parameter.pattern)));
  known.delete('DECIMAL');
  known.delete('ANY');
  const unknown = variablesOf(pattern).find((variable) => !known.has(variable));
  if (unknown !== undefined)
    throw new TypeError(`${shown(written)}: nothing says what ${unknown} is`);
  return (types) => {
    const type = typeOver(pattern, parameters, types);
    if (type === null) throw new TypeError(`${shown(written)} is no type of this call`);
    return type;
  };
}
