// Functions of real numbers: powers, logarithms, angles; gathered with that of places. Java's may differ in the last bit of the result.

import { DOUBLE } from '../data/type.ts';
import { of, parameter, scalar } from './declare.ts';
import { GEO } from './geo.ts';
import type { ScalarOverload } from './registry.ts';

const category = 'MATHEMATICAL';

/** A function of one number. */
function unary(
  name: string,
  description: string,
  compute: (value: number) => number,
  argument = 'value',
): ScalarOverload {
  return scalar({
    name,
    category,
    description,
    parameters: [parameter(argument, of(DOUBLE))],
    returns: DOUBLE,
    body: ([value = null]) => compute(value as number),
  });
}

/** A function of two numbers. */
function binary(
  name: string,
  description: string,
  [first, second]: readonly [string, string],
  compute: (a: number, b: number) => number,
): ScalarOverload {
  return scalar({
    name,
    category,
    description,
    parameters: [parameter(first, of(DOUBLE)), parameter(second, of(DOUBLE))],
    returns: DOUBLE,
    body: ([a = null, b = null]) => compute(a as number, b as number),
  });
}

/** NaN where the base is not above 0, or is 1. */
function logarithm(base: number, value: number): number {
  return base <= 0 || base === 1 ? NaN : Math.log(value) / Math.log(base);
}

const DEGREES_PER_RADIAN = 180 / Math.PI;
const RADIANS_PER_DEGREE = Math.PI / 180;

export const REALS: readonly ScalarOverload[] = [
  ...GEO,
  unary('CBRT', 'The cube root.', Math.cbrt),
  unary('EXP', 'e to the power of a number.', Math.exp, 'exponent'),
  unary('LN', 'The natural logarithm; NaN for a negative number.', Math.log),
  unary('LOG', 'The natural logarithm; NaN for a negative number.', Math.log),
  binary('LOG', 'The logarithm to that base.', ['base', 'value'], logarithm),
  binary(
    'POWER',
    'The base to the power of the exponent; Infinity where it is too large.',
    ['base', 'exponent'],
    Math.pow,
  ),
  scalar({
    name: 'PI',
    category,
    description: 'The circumference of a circle over its diameter.',
    parameters: [],
    returns: DOUBLE,
    body: () => Math.PI,
  }),
  unary('DEGREES', 'An angle in radians as degrees.', (value) => value * DEGREES_PER_RADIAN),
  unary('RADIANS', 'An angle in degrees as radians.', (value) => value * RADIANS_PER_DEGREE),
  unary('SIN', 'The sine of an angle in radians.', Math.sin),
  unary('COS', 'The cosine of an angle in radians.', Math.cos),
  unary('TAN', 'The tangent of an angle in radians.', Math.tan),
  unary(
    'COT',
    'The cotangent of an angle in radians; Infinity at 0.',
    (value) => Math.cos(value) / Math.sin(value),
  ),
  unary('SINH', 'The hyperbolic sine.', Math.sinh),
  unary('COSH', 'The hyperbolic cosine.', Math.cosh),
  unary('TANH', 'The hyperbolic tangent.', Math.tanh),
  unary('ASIN', 'The angle in radians of that sine; NaN beyond -1 and 1.', Math.asin),
  unary('ACOS', 'The angle in radians of that cosine; NaN beyond -1 and 1.', Math.acos),
  unary('ATAN', 'The angle in radians of that tangent.', Math.atan),
  binary('ATAN2', 'The angle in radians of the point (x, y).', ['y', 'x'], Math.atan2),
];
