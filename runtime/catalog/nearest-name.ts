// Finds the known name that a mistyped one most likely meant; knows nothing of what is named.

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. Cost: product of the lengths. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The known name closest to `name`, letter case aside, or null when none is close. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const wanted = name.toUpperCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const here = distance(wanted, candidate.toUpperCase());
    if (here < bestDistance) {
      best = candidate;
      bestDistance = here;
    }
  }
  return best;
}
