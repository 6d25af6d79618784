// The way from a statement to its meaning: one case for each kind of statement; knows no plan and no host.

import type {
  CreateAs,
  CreateSource,
  InsertSelect,
  InsertValues,
  Select,
  Statement,
} from '../sql/ast.ts';
import type { Analysis, AnalyzeOptions } from './analysis.ts';
import { analyzeCreateSource, checkName } from './create.ts';
import { CONTROL, INSERTS, PULL, RARE_SOURCES } from './parts.ts';
import { analyzeCreateAs, analyzePush } from './query.ts';
import { refuseSettings } from './settings.ts';

/** The statements that neither define a source nor move rows. */
export type ControlStatement = Exclude<
  Statement,
  CreateSource | CreateAs | InsertSelect | InsertValues | Select
>;

/**
 * What the statement means against one version of the catalog. Changes nothing.
 * @throws {StatementError} with code, position and hint; {PartMissing}; nothing else
 */
export function analyzeStatement(statement: Statement, options: AnalyzeOptions): Analysis {
  const { kind } = statement;
  if (kind === 'CreateAs' || kind === 'InsertSelect' || kind === 'Select')
    refuseSettings(options, statement.at);
  switch (statement.kind) {
    case 'CreateSource':
      return (
        existing(statement, options) ??
        (statement.readOnly
          ? RARE_SOURCES.code.analyzeReadOnly(statement, options)
          : analyzeCreateSource(statement, options))
      );
    case 'CreateAs':
      return existing(statement, options) ?? analyzeCreateAs(statement, options);
    case 'InsertSelect':
      return INSERTS.code.analyzeInsertSelect(statement, options);
    case 'InsertValues':
      return INSERTS.code.analyzeInsertValues(statement, options);
    case 'Select':
      return statement.query.emit === null
        ? PULL.code.analyzePull(statement, options)
        : analyzePush(statement, options);
    default:
      return CONTROL.code.analyzeControl(statement, options);
  }
}

/** Refuses a name that is taken, unless IF NOT EXISTS or OR REPLACE says what is to be done then; null where it is free. */
function existing(statement: CreateSource | CreateAs, options: AnalyzeOptions): Analysis | null {
  checkName(statement.name);
  const known = options.catalog.sources.get(statement.name.text);
  return known === undefined ? null : RARE_SOURCES.code.taken(statement, known, options);
}
