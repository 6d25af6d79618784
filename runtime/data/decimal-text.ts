// A DECIMAL (unscaled value and scale) as plain text and back, exactly; knows no arithmetic.

/** The digits with the full scale: `decimalText(1234n, 2)` is `12.34`, `decimalText(-5n, 2)` is `-0.05`. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return `${unscaled}`;
  const negative = unscaled < 0n;
  const digits = `${negative ? -unscaled : unscaled}`.padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A number's text: optional sign, digits with an optional point, optional exponent. */
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/u;

/**
 * Reads a number's text as a DECIMAL of that precision and scale, exactly.
 * @returns the unscaled value; null when the text is no number, `excess` when it has more digits than fit (none are rounded away
 *   but zeros)
 */
export function parseDecimal(
  text: string,
  precision: number,
  scale: number,
): bigint | null | 'excess' {
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const digits = (whole + fraction).replace(/^0+/u, '');
  if (digits === '') return 0n;
  // The value is digits × 10^shift once scaled.
  const shift = Number(exponent) - fraction.length + scale;
  if (digits.length + shift > precision) return 'excess';
  let unscaled: string;
  if (shift >= 0) {
    unscaled = digits + '0'.repeat(shift);
  } else {
    if (/[^0]/u.test(digits.slice(shift))) return 'excess';
    unscaled = digits.slice(0, shift);
  }
  if (unscaled.length > precision) return 'excess';
  const value = unscaled === '' ? 0n : BigInt(unscaled);
  return sign === '-' ? -value : value;
}
