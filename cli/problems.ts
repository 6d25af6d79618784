// Shows what went wrong, with the place in the SQL text where there is one; knows no engine.

import { messageOf, type StatementError } from '../runtime/base/errors.ts';

/** The widest part of a line of SQL that is shown. */
const SHOWN_LENGTH_MAX = 160;

/** `path:line:column: message`, the line with a mark below the column, and what to do. */
export function statementProblem(path: string, sql: string, error: StatementError): string {
  const { position, hint } = error;
  const lines: string[] = [];
  if (position === null) {
    lines.push(`${path}: ${error.message}`);
  } else {
    const { line, column } = position;
    const message = error.message.replace(/^line \d+:\d+: /, '');
    lines.push(`${path}:${line}:${column}: ${message}`);
    const written = sql.split('\n')[line - 1] ?? '';
    const from = Math.max(0, column - SHOWN_LENGTH_MAX);
    const before = written.slice(from, column - 1);
    lines.push(`  ${written.slice(from, from + SHOWN_LENGTH_MAX).trimEnd()}`);
    // Tabs stay tabs, so that the mark stands where the eye expects it.
    lines.push(`  ${before.replaceAll(/[^\t]/g, ' ')}^`);
  }
  if (hint !== '') lines.push(`  ${hint}`);
  return lines.join('\n');
}

/** Anything else that ended a command. */
export function otherProblem(thrown: unknown): string {
  return `millrace: ${messageOf(thrown)}`;
}
