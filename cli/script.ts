// Carries out the statements of an SQL text one by one and starts its queries; knows no input and no output.

import { StatementError } from '../runtime/base/errors.ts';
import type { Catalog } from '../runtime/catalog/catalog.ts';
import type { Engine } from '../runtime/engine/engine.ts';
import type { Entity } from '../runtime/engine/entities.ts';
import type { QueryRows } from '../runtime/engine/query-rows.ts';
import type { Select, Statement } from '../runtime/sql/ast.ts';
import { parseScript } from '../runtime/sql/parser.ts';

/** A push query that runs. */
export interface Subscription {
  readonly id: string;
  readonly rows: QueryRows;
}

/** A pull query that is answered once the input has ended. */
export interface Question {
  readonly id: string;
  readonly sql: string;
}

export interface RunningScript {
  readonly subscriptions: readonly Subscription[];
  readonly questions: readonly Question[];
}

/** Statements that were refused; all errors of syntax are found at once, others one at a time. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly errors: readonly StatementError[];
  constructor(errors: readonly StatementError[]) {
    super(errors.map(({ message }) => message).join('\n'));
    this.errors = errors;
  }
}

/**
 * What the engine has kept of an earlier run, and still has, is passed over.
 * @throws {ScriptError}
 */
export async function startScript(
  engine: Engine,
  sql: string,
  onEntity: (entity: Entity, statement: Statement) => void,
): Promise<RunningScript> {
  const { statements, errors } = parseScript(sql);
  if (errors.length > 0) throw new ScriptError(errors);
  const subscriptions: Subscription[] = [];
  const questions: Question[] = [];
  const earlier = engine.catalog;
  try {
    for (const statement of statements) {
      // The parser has put variables in place already.
      if (statement.kind === 'Define' || statement.kind === 'Undefine') continue;
      if (isDone(earlier, statement) && isDone(engine.catalog, statement)) continue;
      const text = inPlace(statement);
      if (statement.kind !== 'Select') {
        await engine.execute(text, { onEntity: (entity) => onEntity(entity, statement) });
      } else if (statement.query.emit === null) {
        questions.push({ id: `PULL_${questions.length + 1}`, sql: text });
      } else {
        subscriptions.push(await subscription(engine, statement, text));
      }
    }
  } catch (thrown) {
    if (thrown instanceof StatementError) throw new ScriptError([thrown]);
    throw thrown;
  }
  return { subscriptions, questions };
}

/** True when the catalog has what this statement, word for word, has made. */
function isDone({ sources, queries }: Catalog, { kind, text }: Statement): boolean {
  const isMade = (made: Iterable<{ readonly statement: string }>) =>
    [...made].some(({ statement }) => statement === text);
  if (kind === 'CreateSource' || kind === 'CreateAs') return isMade(sources.values());
  return kind === 'InsertSelect' && isMade(queries.values());
}

/** A push query reads from the beginning: what comes is what the command feeds. */
async function subscription(engine: Engine, { at }: Select, text: string): Promise<Subscription> {
  const rows = await engine.query(text);
  if (rows.queryId === null) throw new StatementError('INVALID', 'EMIT CHANGES pushes', at);
  return { id: rows.queryId, rows };
}

/** The statement's text behind as many lines and columns as stand before it in the script, so that positions are the script's. */
export function inPlace({ at, text }: Statement): string {
  return '\n'.repeat(at.line - 1) + ' '.repeat(at.column - 1) + text;
}
