// Numbers that look drawn and are the same each time; knows no test.

/** A whole number from 0 to below the bound, which is at most 2^32. */
export type Draw = (bound: number) => number;

/** By xorshift. @param seed a whole number, not 0 */
export function draws(seed: number): Draw {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
