// Finds the word that was meant by a misspelt one; it knows no language.

/** The one of `words` that `typed` most likely stands for, or null; one slip is forgiven in short words, two in longer ones. */
export function nearestWord(typed: string, words: readonly string[]): string | null {
  const slipsMax = typed.length < 5 ? 1 : 2;
  let nearest: string | null = null;
  let slipsLeast = slipsMax + 1;
  for (const word of words) {
    if (word === typed || Math.abs(word.length - typed.length) > slipsMax) continue;
    const slips = slipsBetween(typed, word);
    if (slips < slipsLeast) {
      slipsLeast = slips;
      nearest = word;
    }
  }
  return nearest;
}

/** Letters to add, drop, replace or swap with their neighbour to get from one word to the other. */
function slipsBetween(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let slips = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) {
        slips = Math.min(slips, (beforePrevious[column - 2] ?? 0) + 1);
      }
      current.push(slips);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
