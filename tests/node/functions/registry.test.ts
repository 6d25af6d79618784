// How calls find their overload, and how heavy bodies are loaded once.

import { expect, test } from 'vitest';
import { Part, PartMissing } from '../../../runtime/base/part.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  decimal,
  DOUBLE,
  INTEGER,
  STRING,
  type Type,
  typeText,
} from '../../../runtime/data/type.ts';
import { builtinRegistry } from '../../../runtime/functions/builtins.ts';
import { createRegistry } from '../../../runtime/functions/create-registry.ts';
import { ANY, of, parameter, scalar, variadic } from '../../../runtime/functions/declare.ts';
import { type Theme, theme } from '../../../runtime/functions/parts.ts';
import type { ScalarBody, ScalarOverload } from '../../../runtime/functions/registry.ts';

const declared = (...parameters: readonly ReturnType<typeof parameter>[]): ScalarOverload =>
  scalar({
    name: 'F',
    category: 'TEST',
    description: 'A test double.',
    parameters,
    returns: STRING,
    body: () => parameters.length,
  });

const registry = createRegistry([
  declared(parameter('a', of(INTEGER)), parameter('b', of(STRING))),
  declared(parameter('a', of(BIGINT)), parameter('b', of(STRING))),
  declared(variadic('all', of(BIGINT))),
  declared(parameter('a', of(DOUBLE))),
  declared(parameter('a', ANY), parameter('b', ANY)),
]);

test.each<[readonly (Type | null)[], string | null]>([
  [[INTEGER, STRING], 'F(INTEGER, STRING)'],
  [[BIGINT, STRING], 'F(BIGINT, STRING)'],
  [[INTEGER], 'F(DOUBLE)'],
  [[BIGINT], 'F(BIGINT...)'],
  [[DOUBLE], 'F(DOUBLE)'],
  [[decimal(4, 2)], 'F(DOUBLE)'],
  [[BIGINT, INTEGER, BIGINT], 'F(BIGINT...)'],
  [[], 'F(BIGINT...)'],
  [[BOOLEAN, BOOLEAN], 'F(T, T)'],
  [[BOOLEAN, STRING], null],
  [[null, STRING], 'F(INTEGER, STRING)'],
  [[STRING], null],
])('a call with %o takes %s', (types, signature) => {
  expect(registry.resolve('F', types)?.signature ?? null).toBe(signature);
});

test('arguments are cast to what the overload wants, a variable to the widest that is bound to it', () => {
  expect(registry.resolve('F', [INTEGER, INTEGER, BIGINT])?.casts).toEqual([
    BIGINT,
    BIGINT,
    BIGINT,
  ]);
  const builtins = builtinRegistry();
  const casts = (...types: readonly (Type | null)[]): readonly string[] | undefined =>
    builtins.resolve('COALESCE', types)?.casts.map(typeText);
  expect(casts(INTEGER, BIGINT, null)).toEqual(['BIGINT', 'BIGINT', 'BIGINT']);
  expect(casts(INTEGER, decimal(4, 2))).toEqual(['DECIMAL(12, 2)', 'DECIMAL(12, 2)']);
  expect(casts(null, array(INTEGER))).toEqual(['ARRAY<INTEGER>', 'ARRAY<INTEGER>']);
  expect(casts(INTEGER, STRING)).toBeUndefined();
});

test('a call that fits several overloads alike only after widening is ambiguous', () => {
  const builtins = builtinRegistry();
  const signature = (name: string, ...types: readonly (Type | null)[]): string | null =>
    builtins.resolve(name, types)?.signature ?? null;
  expect(signature('LEAST', INTEGER, BIGINT)).toBe(null);
  expect(signature('LEAST', INTEGER, decimal(4, 2), DOUBLE, null)).toBe('LEAST(DOUBLE, DOUBLE...)');
  expect(signature('LEAST', BIGINT, null)).toBe('LEAST(BIGINT, BIGINT...)');
  expect(signature('SQRT', INTEGER)).toBe('SQRT(DOUBLE)');
});

test('a NULL widens no DECIMAL', () => {
  const builtins = builtinRegistry();
  const result = builtins.resolve('GREATEST', [decimal(9, 3), null, decimal(7, 6)]);
  expect(typeText(result?.type ?? STRING)).toBe('DECIMAL(12, 6)');
});

test('a NULL for a collection of what nothing says is a collection of text', () => {
  const builtins = builtinRegistry();
  const result = (name: string, ...types: readonly (Type | null)[]): string =>
    typeText(builtins.resolve(name, types)?.type ?? INTEGER);
  expect(result('ARRAY_CONCAT', null, null)).toBe('ARRAY<STRING>');
  expect(result('MAP_UNION', null, null)).toBe('MAP<STRING, STRING>');
  expect(result('SLICE', null, INTEGER, INTEGER)).toBe('ARRAY<STRING>');
  expect(result('ARRAY_REMOVE', null, INTEGER)).toBe('ARRAY<INTEGER>');
});

test('many variables are no worse than a widened argument', () => {
  const own = createRegistry([
    declared(variadic('all', ANY)),
    declared(variadic('all', of(BIGINT))),
  ]);
  const types = Array.from({ length: 200 }, () => INTEGER);
  expect(own.resolve('F', types)?.signature).toBe('F(T...)');
});

test('the result type follows the argument types', () => {
  const builtins = builtinRegistry();
  const result = (name: string, ...types: readonly Type[]): string =>
    typeText(builtins.resolve(name, types)?.type ?? STRING);
  expect(result('ABS', decimal(4, 2))).toBe('DECIMAL(4, 2)');
  expect(result('ROUND', DOUBLE)).toBe('BIGINT');
  expect(result('ROUND', decimal(33, 16))).toBe('DECIMAL(17, 0)');
  expect(result('ROUND', decimal(2, 2))).toBe('DECIMAL(1, 0)');
  expect(result('ROUND', decimal(33, 16), INTEGER)).toBe('DECIMAL(33, 16)');
  expect(result('COLLECT_LIST', DOUBLE)).toBe('ARRAY<DOUBLE>');
  expect(result('SUM', INTEGER)).toBe('INTEGER');
  expect(result('AVG', BIGINT)).toBe('DOUBLE');
  expect(result('COUNT')).toBe('BIGINT');
});

test('a plan finds its overload by the signature', () => {
  const builtins = builtinRegistry();
  for (const name of builtins.names) {
    for (const overload of builtins.overloads(name)) expect(overload.name).toBe(name);
  }
  expect(builtins.names.length).toBeGreaterThan(25);
  expect(builtins.bySignature('ABS', 'ABS(DOUBLE)')?.kind).toBe('scalar');
  expect(builtins.bySignature('ABS', 'SUM(DOUBLE)')).toBe(null);
  expect(builtins.bySignature('ABS', 'ABS(STRING)')).toBe(null);
  expect(builtins.has('__proto__')).toBe(false);
});

test('one signature cannot be declared twice', () => {
  const one = declared(parameter('a', of(DOUBLE)));
  expect(() => createRegistry([one, one])).toThrow('F(DOUBLE) is declared once');
});

test('the functions of one name are of one kind', () => {
  const own = builtinRegistry([{ ...declared(parameter('a', of(DOUBLE))), name: 'EXPLODE' }]);
  expect(() => own.overloads('EXPLODE')).toThrow('EXPLODE is of one kind');
});

test('a heavy body is loaded once, and is there from then on', async () => {
  let loads = 0;
  const heavy: ScalarOverload = {
    ...declared(parameter('a', of(DOUBLE))),
    body: null,
    load: () => {
      loads += 1;
      return Promise.resolve(
        (): ScalarBody =>
          ([value = null]) =>
            value,
      );
    },
  };
  const own = createRegistry([heavy]);
  const body = (): unknown => {
    const found = own.bySignature('F', 'F(DOUBLE)');
    return found?.kind === 'scalar' ? found.body : undefined;
  };
  expect(body()).toBe(null);
  await own.load('F', 'F(DOUBLE)');
  expect(body()).toBeTypeOf('function');
  expect(own.load('F', 'F(DOUBLE)')).toBe(null);
  expect(loads).toBe(1);
});

test('every function says what it does', () => {
  const builtins = builtinRegistry();
  const overloads = builtins.names.flatMap((name) => builtins.overloads(name));
  expect(overloads.length).toBeGreaterThan(100);
  const silent = overloads.filter(({ description }) => description.length < 10);
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('the body of a regular expression is loaded when its statement is planned', async () => {
  const builtins = builtinRegistry();
  const signature = 'REGEXP_EXTRACT(STRING, STRING)';
  const loading = builtins.load('REGEXP_EXTRACT', signature);
  expect(loading).not.toBeNull();
  await loading;
  expect(builtins.load('REGEXP_EXTRACT', signature)).toBeNull();
  const found = builtins.bySignature('REGEXP_EXTRACT', signature);
  const body = found?.kind === 'scalar' ? found.body?.([STRING, STRING]) : undefined;
  expect(body?.(['b+', 'abbc'], { now: 0, random: () => 0 }, [])).toBe('bb');
});

test('further names are asked for only when a name is in no theme at hand', async () => {
  const further = theme('G');
  const g = { ...declared(parameter('a', of(DOUBLE))), name: 'G' };
  further.part.from('further', () => Promise.resolve({ overloads: [g] }));
  const more = new Part<{ readonly THEMES: readonly Theme[] }>();
  more.from('more', () => Promise.resolve({ THEMES: [further] }));
  const at = theme('F');
  at.part.from('at hand', () =>
    Promise.resolve({ overloads: [declared(parameter('a', of(DOUBLE)))] }),
  );
  await at.part.load();
  const own = { ...declared(parameter('a', of(BOOLEAN))), name: 'H' };
  const gOfBoolean = { ...declared(parameter('a', of(BOOLEAN))), name: 'G' };
  const asked = createRegistry([own, gOfBoolean], [at], more);
  expect(asked.overloads('F')).toHaveLength(1);
  for (const ask of [() => asked.has('G'), () => asked.names, () => asked.overloads('H')])
    expect(ask).toThrow(PartMissing);
  await more.load();
  expect(asked.names).toEqual(['F', 'G', 'H']);
  expect(asked.has('I')).toBe(false);
  expect(asked.overloads('H')).toEqual([own]);
  expect(() => asked.overloads('G')).toThrow(PartMissing);
  await further.part.load();
  expect(asked.overloads('G')).toEqual([g, gOfBoolean]);
  expect(asked.bySignature('F', 'F(DOUBLE)')).not.toBeNull();
});
