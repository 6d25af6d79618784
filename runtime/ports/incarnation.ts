// How the incarnation of a topic reads: what it was made with, then, behind `~`, the number of its last restore; knows no log.

/** What stays as it is when a topic is restored: rows that are made again of the same records draw the same random numbers. */
export function originOf(incarnation: string): string {
  return incarnation.replace(/~.*/, '');
}
