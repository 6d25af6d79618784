// A DOUBLE as text the way Java spells it, from the shortest digits that read back the same; knows no JSON.

/**
 * `1.0`, `0.001`, `1.0E7`, `9.999999E6` → `9999999.0`, `1.0E-5`, `-0.0`, `NaN`, `Infinity`, `-Infinity`: at least one digit
 * after the point, and scientific from 10^7 on and below 10^-3. Source: java.lang.Double.toString since Java 19, which prints the shortest
 * text (before, some had digits more than needed: `4.6116860184273879E18`).
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
  const shortest = value.toExponential();
  // Where one digit would do Java takes the nearest two: the least double is 4.9E-324.
  const [digits = '', exponent = ''] = (
    shortest.includes('.') ? shortest : value.toExponential(1)
  ).split('e');
  const power = exponent.startsWith('+') ? exponent.slice(1) : exponent;
  return `${digits}E${power}`;
}
