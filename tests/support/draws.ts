// Whole numbers that look drawn and are the same each time; knows no test.

import { seededRandom } from '../../runtime/memory/faults.ts';

/** A whole number from 0 to below the bound, which is at most 2^32. */
export type Draw = (bound: number) => number;

/** Each as likely. */
export function draws(seed: number): Draw {
  const random = seededRandom(seed);
  return (bound) => Math.floor(random() * bound);
}
