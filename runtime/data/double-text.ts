// A DOUBLE as text the way Java spells it, from the shortest digits that read back the same; knows no JSON.

/**
 * `1.0`, `0.001`, `1.0E7`, `9.999999E6` → `9999999.0`, `1.0E-5`, `-0.0`, `NaN`, `Infinity`, `-Infinity`: at least one digit
 * after the point, and scientific from 10^7 on and below 10^-3. Source: java.lang.Double.toString.
 */
export function doubleText(value: number): string {
  if (Number.isInteger(value)) {
    if (value > -1e7 && value < 1e7) return Object.is(value, -0) ? '-0.0' : `${value}.0`;
  } else {
    const magnitude = Math.abs(value);
    // JavaScript writes these without an exponent too.
    if (magnitude >= 1e-3 && magnitude < 1e7) return `${value}`;
    if (!Number.isFinite(value)) return `${value}`;
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = exponent.startsWith('+') ? exponent.slice(1) : exponent;
  return `${digits.includes('.') ? digits : `${digits}.0`}E${power}`;
}
