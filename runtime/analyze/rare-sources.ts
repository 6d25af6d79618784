// What is rare about streams and tables, fetched together: names that are taken, header columns, source tables, CREATE OR REPLACE and ALTER.

import type { Source } from '../catalog/source.ts';
import type { CreateAs, CreateSource } from '../sql/ast.ts';
import type { Analysis, AnalyzeOptions, ControlAnalysis } from './analysis.ts';
import { WORDS } from './parts.ts';
import { analyzeReplacement } from './replace.ts';

export { headerColumn } from './header-columns.ts';
export { analyzeAlter } from './replace.ts';
export { analyzeReadOnly } from './source-table.ts';

/** What a statement does whose name is that of a stream or table. @throws {StatementError} ALREADY_EXISTS */
export function taken(
  statement: CreateSource | CreateAs,
  known: Source,
  options: AnalyzeOptions,
): Analysis {
  const { text, at } = statement.name;
  if (statement.ifNotExists) return none(`The ${known.kind} ${text} exists already.`);
  if (statement.orReplace) return analyzeReplacement(statement, known, options);
  throw WORDS.code.alreadyExists(known, at);
}

/** Nothing is to be done, and why. */
export function none(message: string): ControlAnalysis {
  return { kind: 'none', message };
}
