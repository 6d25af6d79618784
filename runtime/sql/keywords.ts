// The words of the language: which are reserved, and how a name is written so that it is not taken for one.

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
