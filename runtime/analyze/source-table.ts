// Analyzes CREATE SOURCE STREAM and CREATE SOURCE TABLE: what nobody but its topic writes; knows no plan.

import type { CreateSource } from '../sql/ast.ts';
import type { AnalyzeOptions, CreateSourceAnalysis } from './analysis.ts';
import { analyzeCreateSource } from './create.ts';
import { madeOnce } from './replace.ts';

/**
 * The rows of a SOURCE TABLE are kept for pull queries from the beginning, by a query of its own.
 * @throws {StatementError}
 */
export function analyzeReadOnly(
  statement: CreateSource,
  options: AnalyzeOptions,
): CreateSourceAnalysis {
  if (statement.orReplace) throw madeOnce(statement);
  const analysis = analyzeCreateSource(statement, options);
  const { source } = analysis;
  if (source.kind === 'stream') return analysis;
  const id = `CST_${source.name}_${options.queryNumber}`;
  return {
    ...analysis,
    source: { ...source, query: id },
    query: { id, statement: statement.text, reads: [source.name], writes: null },
  };
}
