// How much one of many may take of the room that is left to all; knows no room.

const SHARE = 1 / 4;

/** A quarter of what is left, so that the others have room too; at least `least`, whatever is left, and never more than `most`. */
export function shareOf(left: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(left * SHARE)));
}
