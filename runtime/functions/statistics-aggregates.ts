// Deviation and correlation of numbers: STDDEV_SAMP, STDDEV_SAMPLE, CORRELATION; knows no group and no window.

import { BIGINT, DOUBLE, INTEGER, type Type, type Value } from '../data/type.ts';
import { aggregate, first, of, parameter } from './declare.ts';
import type { AggregateBody, AggregateOverload } from './registry.ts';

/**
 * Cells: the sum (of whole numbers a BIGINT), the count, and the sum of squared differences from the mean, carried on by the
 * algorithm of Youngs and Cramer.
 */
function deviationBody(
  type: Type,
  result: (squares: number, count: number) => number,
): AggregateBody {
  const isWhole = type.kind !== 'DOUBLE';
  const plus = (sum: Value, value: Value, sign: 1 | -1): Value =>
    isWhole
      ? BigInt.asIntN(64, (sum as bigint) + BigInt(value as number | bigint) * BigInt(sign))
      : (sum as number) + sign * (value as number);
  /** What the value adds to the squares where `sum` and `count` have it among them. */
  const share = (sum: Value, count: bigint, value: Value): number => {
    if (count < 2n) return 0;
    const n = Number(count);
    const delta = isWhole
      ? Number(BigInt(value as number | bigint) * count - (sum as bigint))
      : (value as number) * n - (sum as number);
    return (delta * delta) / (n * (n - 1));
  };
  return {
    cells: [isWhole ? BIGINT : DOUBLE, BIGINT, DOUBLE],
    initial: () => [isWhole ? 0n : 0, 0n, 0],
    add(cells, [value = null]) {
      if (value === null) return;
      const count = (cells[1] as bigint) + 1n;
      cells[0] = plus(cells[0] ?? null, value, 1);
      cells[1] = count;
      cells[2] = (cells[2] as number) + share(cells[0], count, value);
    },
    undo(cells, [value = null]) {
      if (value === null) return;
      const count = cells[1] as bigint;
      const before = cells[2] as number;
      // Of less than two nothing is left, not even what rounding left; and squares are never negative.
      const squares = count < 3n ? 0 : Math.max(0, before - share(cells[0] ?? null, count, value));
      cells[0] = plus(cells[0] ?? null, value, -1);
      cells[1] = count - 1n;
      cells[2] = squares;
    },
    merge(into, from) {
      const [a, b] = [Number(into[1]), Number(from[1])];
      const means = a === 0 || b === 0 ? 0 : Number(into[0]) / a - Number(from[0]) / b;
      const between = a + b === 0 ? 0 : (a * b * means * means) / (a + b);
      into[0] = plus(into[0] ?? null, from[0] ?? null, 1);
      into[1] = (into[1] as bigint) + (from[1] as bigint);
      into[2] = (into[2] as number) + (from[2] as number) + between;
    },
    result: (cells) => {
      const count = Number(cells[1]);
      return count < 2 ? 0 : result(cells[2] as number, count);
    },
  };
}

/** Cells: the sums of x, y, x², y² and xy, and the count. A row with a null counts nothing. */
const CORRELATION_BODY: AggregateBody = {
  cells: [DOUBLE, DOUBLE, DOUBLE, DOUBLE, DOUBLE, BIGINT],
  initial: () => [0, 0, 0, 0, 0, 0n],
  add: (cells, values) => correlate(cells, values, 1),
  undo: (cells, values) => correlate(cells, values, -1),
  merge(into, from) {
    for (let i = 0; i < 5; i++) into[i] = (into[i] as number) + (from[i] as number);
    into[5] = (into[5] as bigint) + (from[5] as bigint);
  },
  result(cells) {
    const [x, y, xx, yy, xy] = cells.slice(0, 5) as [number, number, number, number, number];
    const n = Number(cells[5]);
    return (n * xy - x * y) / Math.sqrt((n * xx - x * x) * (n * yy - y * y));
  },
};

function correlate(cells: Value[], values: readonly Value[], sign: 1 | -1): void {
  if (values.includes(null)) return;
  const x = Number(values[0]);
  const y = Number(values[1]);
  [x, y, x * x, y * y, x * y].forEach((term, i) => {
    cells[i] = (cells[i] as number) + sign * term;
  });
  cells[5] = (cells[5] as bigint) + BigInt(sign);
}

const NUMBERS = [INTEGER, BIGINT, DOUBLE];

export const STATISTICS: readonly AggregateOverload[] = NUMBERS.flatMap((type) => [
  aggregate({
    name: 'STDDEV_SAMP',
    description:
      'The sample variance of the values that are not null: despite its name without a root, as in ksqlDB. 0 for fewer than two.',
    parameters: [parameter('value', of(type))],
    returns: DOUBLE,
    body: (types) => deviationBody(first(types), (squares, count) => squares / (count - 1)),
  }),
  aggregate({
    name: 'STDDEV_SAMPLE',
    description:
      'The sample standard deviation of the values that are not null; 0 for fewer than two.',
    parameters: [parameter('value', of(type))],
    returns: DOUBLE,
    body: (types) =>
      deviationBody(first(types), (squares, count) => Math.sqrt(squares / (count - 1))),
  }),
  aggregate({
    name: 'CORRELATION',
    description:
      "Pearson's correlation of the rows in which neither value is null; NaN where there is none.",
    parameters: [parameter('x', of(type)), parameter('y', of(type))],
    returns: DOUBLE,
    body: () => CORRELATION_BODY,
  }),
]);
