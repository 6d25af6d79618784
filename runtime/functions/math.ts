// Functions of numbers; knows no other theme.

import { DECIMAL_DIGITS_MAX } from '../base/limits.ts';
import {
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type Type,
  type Value,
} from '../data/type.ts';
import { bigintOf } from '../expr/cast.ts';
import { orderOf } from '../expr/compare.ts';
import { fitted, powerOfTen, rescale } from '../expr/decimal.ts';
import { DECIMALS, first, of, parameter, scalar, variadic } from './declare.ts';
import type { Pattern, ScalarOverload } from './registry.ts';

const category = 'MATHEMATICAL';

type DecimalType = Type & { readonly kind: 'DECIMAL' };

/** One function over the four numeric types, the same type out. */
function numeric(
  name: string,
  description: string,
  bodies: {
    readonly integer: (value: number) => number;
    readonly bigint: (value: bigint) => bigint;
    readonly double: (value: number) => number;
    readonly decimal: (unscaled: bigint, unit: bigint) => bigint;
  },
): ScalarOverload[] {
  const declare = (pattern: Pattern, body: (value: Value, type: Type) => Value): ScalarOverload =>
    scalar({
      name,
      category,
      description,
      parameters: [parameter('value', pattern)],
      returns: first,
      body: ([value = null], _context, types) => body(value, first(types)),
    });
  return [
    declare(of(INTEGER), (value) => bodies.integer(value as number)),
    declare(of(BIGINT), (value) => bodies.bigint(value as bigint)),
    declare(of(DOUBLE), (value) => bodies.double(value as number)),
    declare(DECIMALS, (value, type) => {
      const { precision, scale } = type as DecimalType;
      return fitted(bodies.decimal(value as bigint, powerOfTen(scale)), precision, scale);
    }),
  ];
}

/** A decimal cut to a whole number, towards zero. */
const cut = (unscaled: bigint, unit: bigint): bigint => (unscaled / unit) * unit;

const same = <T>(value: T): T => value;

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** Rounds as Java's Math.round does: half up, towards positive infinity; saturates, NaN gives 0. */
function roundHalfUp(value: number): bigint {
  const floor = Math.floor(value);
  return bigintOf(value - floor >= 0.5 ? floor + 1 : floor);
}

/** What has so many digits less than one unit; no DECIMAL has half a unit of more digits than it can have. */
function unitOf(digits: number): bigint {
  return powerOfTen(Math.min(digits, DECIMAL_DIGITS_MAX + 1));
}

/**
 * A decimal rounded to so many places, which may be negative, a half towards positive infinity; its scale stays. Places
 * beyond the scale change nothing.
 */
function roundUnscaled(unscaled: bigint, scale: number, places: number): bigint {
  if (places >= scale) return unscaled;
  const unit = unitOf(scale - places);
  const up = unscaled + unit / 2n;
  const rest = up % unit;
  return up - (rest < 0n ? rest + unit : rest);
}

/** A double rounded to so many decimal places by its decimal text, a half towards positive infinity. */
function roundPlaces(value: number, places: number): number {
  if (!Number.isFinite(value)) return value;
  const shifted = withExponent(value, places);
  // From here on every double is whole; what is beyond the range of doubles stays as it is.
  if (Math.abs(shifted) >= 2 ** 53) return value;
  const floor = Math.floor(shifted);
  return withExponent(shifted - floor >= 0.5 ? floor + 1 : floor, -places);
}

/** The number times 10 to that power, exact in its decimal digits. */
function withExponent(value: number, power: number): number {
  const [digits, exponent] = value.toExponential().split('e');
  return Number(`${digits}e${Number(exponent) + power}`);
}

/** A decimal cut to so many places, towards zero; its scale stays. */
function cutUnscaled(unscaled: bigint, scale: number, places: number): bigint {
  return places >= scale ? unscaled : cut(unscaled, unitOf(scale - places));
}

/** A double cut to so many decimal places by its decimal text, towards zero. */
function cutPlaces(value: number, places: number): number {
  if (!Number.isFinite(value)) return value;
  const shifted = withExponent(value, places);
  return Math.abs(shifted) >= 2 ** 53 ? value : withExponent(Math.trunc(shifted), -places);
}

function scaleOf(type: Type | undefined): number {
  return type?.kind === 'DECIMAL' ? type.scale : 0;
}

/** The DECIMAL of the digits before the point. */
function wholeDecimal(type: Type): DecimalType {
  const digits = type.kind === 'DECIMAL' ? type.precision - type.scale : 1;
  return { kind: 'DECIMAL', precision: Math.max(1, digits), scale: 0 };
}

interface Rounding {
  readonly name: string;
  /** What becomes of the digits that go. */
  readonly how: string;
  readonly whole: (value: number) => bigint;
  readonly double: (value: number, places: number) => number;
  readonly unscaled: (unscaled: bigint, scale: number, places: number) => bigint;
}

/** ROUND and TRUNC: whole numbers become BIGINT, a DECIMAL one without places; with places given the type stays. */
function rounding({ name, how, whole, double, unscaled }: Rounding): ScalarOverload[] {
  const common = { name, category, description: `The whole number; ${how}.` };
  const places = { ...common, description: `Of so many decimal places and the same type; ${how}.` };
  return [
    ...[INTEGER, BIGINT].map((type) =>
      scalar({
        ...common,
        description: 'The number itself, as a BIGINT.',
        parameters: [parameter('value', of(type))],
        returns: BIGINT,
        body: ([value = null]) => BigInt(value as number | bigint),
      }),
    ),
    scalar({
      ...common,
      parameters: [parameter('value', of(DOUBLE))],
      returns: BIGINT,
      body: ([value = null]) => whole(value as number),
    }),
    scalar({
      ...places,
      parameters: [parameter('value', of(DOUBLE)), parameter('places', of(INTEGER))],
      returns: DOUBLE,
      body: ([value = null, count = null]) => double(value as number, count as number),
    }),
    scalar({
      ...common,
      parameters: [parameter('value', DECIMALS)],
      returns: (types) => wholeDecimal(first(types)),
      body: ([value = null], _context, [type]) => {
        const scale = scaleOf(type);
        const { precision } = wholeDecimal(type ?? INTEGER);
        return fitted(rescale(unscaled(value as bigint, scale, 0), scale, 0), precision, 0);
      },
    }),
    scalar({
      ...places,
      parameters: [parameter('value', DECIMALS), parameter('places', of(INTEGER))],
      returns: first,
      body: ([value = null, count = null], _context, [type]) => {
        const rounded = unscaled(value as bigint, scaleOf(type), count as number);
        return type?.kind === 'DECIMAL' ? fitted(rounded, type.precision, type.scale) : rounded;
      },
    }),
  ];
}

/** LEAST and GREATEST: nulls are left out. */
function extremes(name: string, description: string, sign: 1 | -1): ScalarOverload[] {
  const patterns = [
    ...[INTEGER, BIGINT, DOUBLE].map(of),
    DECIMALS,
    ...[STRING, BYTES, DATE, TIME, TIMESTAMP].map(of),
  ];
  return patterns.map((pattern) =>
    scalar({
      name,
      category: pattern.pattern === 'decimal' ? category : 'CONDITIONAL',
      description,
      parameters: [parameter('first', pattern), variadic('others', pattern)],
      returns: widest,
      nullPropagating: false,
      body: (values, _context, types) => {
        let best: Value = null;
        let bestType = first(types);
        values.forEach((value, index) => {
          if (value === null) return;
          const type = types[index] ?? bestType;
          if (best !== null && orderOf(type, bestType)(value, best) * sign <= 0) return;
          best = value;
          bestType = type;
        });
        const result = widest(types);
        if (result.kind !== 'DECIMAL' || bestType.kind !== 'DECIMAL' || best === null) return best;
        return rescale(best, bestType.scale, result.scale);
      },
    }),
  );
}

/** The DECIMAL that holds all; else the type of the first. */
function widest(types: readonly Type[]): Type {
  let precision = 0;
  let scale = 0;
  for (const type of types) {
    if (type.kind !== 'DECIMAL') return first(types);
    const whole = Math.max(precision - scale, type.precision - type.scale);
    scale = Math.max(scale, type.scale);
    precision = whole + scale;
  }
  return { kind: 'DECIMAL', precision, scale };
}

export const MATH: readonly ScalarOverload[] = [
  ...numeric('ABS', 'The magnitude of a number.', {
    integer: (value) => Math.abs(value) | 0,
    bigint: (value) => BigInt.asIntN(64, absolute(value)),
    double: Math.abs,
    decimal: absolute,
  }),
  ...numeric('CEIL', 'The least whole number that is not below it.', {
    integer: same,
    bigint: same,
    double: Math.ceil,
    decimal: (value, unit) => (value > 0n ? cut(value + unit - 1n, unit) : cut(value, unit)),
  }),
  ...numeric('FLOOR', 'The greatest whole number that is not above it.', {
    integer: same,
    bigint: same,
    double: Math.floor,
    decimal: (value, unit) => (value < 0n ? cut(value - unit + 1n, unit) : cut(value, unit)),
  }),
  ...rounding({
    name: 'ROUND',
    how: 'a half goes up',
    whole: roundHalfUp,
    double: roundPlaces,
    unscaled: roundUnscaled,
  }),
  ...rounding({
    name: 'TRUNC',
    how: 'the digits behind go',
    whole: bigintOf,
    double: cutPlaces,
    unscaled: cutUnscaled,
  }),
  ...[INTEGER, BIGINT, DOUBLE].map((type) =>
    scalar({
      name: 'SIGN',
      category,
      description: '-1, 0 or 1 for a negative number, zero and a positive one.',
      parameters: [parameter('value', of(type))],
      returns: INTEGER,
      body: ([value = null]) => Math.sign(Number(value)) | 0,
    }),
  ),
  scalar({
    name: 'SQRT',
    category,
    description: 'The square root; NaN for a negative number.',
    parameters: [parameter('value', of(DOUBLE))],
    returns: DOUBLE,
    body: ([value = null]) => Math.sqrt(value as number),
  }),
  scalar({
    name: 'RANDOM',
    category,
    description:
      'A number from 0 (inclusive) to 1 (exclusive); the same again when the row is processed again.',
    parameters: [],
    returns: DOUBLE,
    body: (_values, context) => context.random(),
  }),
  ...extremes('LEAST', 'The least of the arguments that are not null.', -1),
  ...extremes('GREATEST', 'The greatest of the arguments that are not null.', 1),
];
