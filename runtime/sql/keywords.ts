// The words of the language: which are reserved, how a name is written so that it is not taken for one, and which word was meant.

/** Words that are names only within backticks; ksqlDB reserves the same ones, those it does not use included. */
export const RESERVED: ReadonlySet<string> = new Set(
  `ADVANCE ALL AND AS AT BEGINNING BETWEEN BY CASE CAST CATALOG CONNECTOR CONNECTORS CREATE DAYS DECIMAL
  DELETE DESCRIBE DISTINCT DROP ELSE END EXISTS EXPORT EXTENDED FALSE FROM FULL GROUP HAVING HOPPING HOURS
  IN INNER INSERT INTO IS JOIN LEFT LIKE LIMIT LIST LOAD MATERIALIZED MILLISECOND MILLISECONDS MINUTES
  MONTHS NAMESPACE NOT NULL ON OR OUTER PRINT PROPERTIES QUERIES QUERY RENAME RETENTION RIGHT RUN SAMPLE
  SCRIPT SECONDS SELECT SIZE STREAM STREAMS TABLE TERMINATE THEN TO TOPIC TOPICS TRUE TUMBLING UNSET VALUES
  VIEW WHEN WHERE WINDOW WITH WITHIN YEARS`
    .trim()
    .split(/\s+/),
);

// Ordinary names that stand for something else in one place or another: a constructor, or the plural of DESCRIBE.
const AMBIGUOUS: ReadonlySet<string> = new Set(['ARRAY', 'MAP', 'STRUCT', 'TABLES']);

const PLAIN_NAME = /^[A-Z_][A-Z0-9_]*$/;

/** Writes a name so that it reads back exactly: plain where that is possible, else within backticks. */
export function formatName(name: string): string {
  if (PLAIN_NAME.test(name) && !RESERVED.has(name) && !AMBIGUOUS.has(name)) return name;
  return `\`${escapeVariables(name).replaceAll('`', '``')}\``;
}

/** Text within quotes such that no variable is replaced in it: `$${name}` stands for the text `${name}`. */
export function escapeVariables(text: string): string {
  return text.includes('${') ? text.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*\}/g, '$$$&') : text;
}

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
