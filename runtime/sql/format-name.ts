// Writes names and texts so that they read back exactly; knows no statement.

import { RESERVED } from './keywords.ts';

// Ordinary names that stand for something else in one place or another: a constructor, or the plural of DESCRIBE.
const AMBIGUOUS: ReadonlySet<string> = new Set(['ARRAY', 'MAP', 'STRUCT', 'TABLES']);

const PLAIN_NAME = /^[A-Z_][A-Z0-9_]*$/;

/** Text within quotes such that no variable is replaced in it: `$${name}` stands for the text `${name}`. */
export function escapeVariables(text: string): string {
  return text.includes('${') ? text.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*\}/g, '$$$&') : text;
}

/** Writes a name so that it reads back exactly: plain where that is possible, else within backticks. */
export function formatName(name: string): string {
  if (PLAIN_NAME.test(name) && !RESERVED.has(name) && !AMBIGUOUS.has(name)) return name;
  return `\`${escapeVariables(name).replaceAll('`', '``')}\``;
}
