// Turns SQL text into statements, or into every syntax error it holds; this is the face of the folder, with print.ts. Knows no catalog.

import { StatementError } from '../base/errors.ts';
import { STATEMENT_BYTES_MAX, SYNTAX_ERRORS_MAX } from '../base/limits.ts';
import type { ColumnDefinition, Expression, Statement } from './ast.ts';
import { Cursor } from './cursor.ts';
import { parseColumnList } from './definition.ts';
import { parseExpressionAt } from './expression.ts';
import { lex, mayReferToVariable } from './lexer.ts';
import type { Token } from './lexer.ts';
import { RARE_STATEMENTS, SYNTAX_ERROR } from './parts.ts';
import { parseWholeStatement } from './statement.ts';

/** What a text holds: the statements that are well-formed and an error for each that is not, both in order of the text. */
export interface Script {
  readonly statements: readonly Statement[];
  readonly errors: readonly StatementError[];
}

const NO_VARIABLES: ReadonlyMap<string, string> = new Map();

/**
 * The statements of a text, which are separated by `;`.
 * @throws {StatementError} the first error of the text
 */
export function parse(sql: string, variables?: ReadonlyMap<string, string>): readonly Statement[] {
  const { statements, errors } = parseScript(sql, variables);
  const [first] = errors;
  if (first !== undefined) throw first;
  return statements;
}

/**
 * Reads a text to its end, past faulty statements: each gives one error, with its position in `sql`. The error that makes
 * SYNTAX_ERRORS_MAX is the last thing read.
 *
 * `variables` are those defined before; a DEFINE or UNDEFINE of the text counts for the statements behind it.
 * Cost: linear in the length of the text, which is at most STATEMENT_BYTES_MAX.
 */
export function parseScript(
  sql: string,
  variables: ReadonlyMap<string, string> = NO_VARIABLES,
): Script {
  const tooLong = sizeError(sql);
  if (tooLong !== null) return { statements: [], errors: [tooLong] };
  const defined = new Map([...variables].map(([name, value]) => [name.toUpperCase(), value]));
  const statements: Statement[] = [];
  const errors: StatementError[] = [];
  for (const tokens of statementTokens(lex(sql))) {
    try {
      const statement = parseWholeStatement(cursorOver(sql, tokens, defined));
      if (statement.kind === 'Define')
        defined.set(statement.variable.text.toUpperCase(), statement.value);
      if (statement.kind === 'Undefine') defined.delete(statement.variable.text.toUpperCase());
      statements.push(statement);
    } catch (thrown) {
      if (!(thrown instanceof StatementError)) throw thrown;
      errors.push(thrown);
      if (errors.length === SYNTAX_ERRORS_MAX) break;
    }
  }
  return { statements, errors };
}

/**
 * One expression that is all of the text.
 * @throws {StatementError}
 */
export function parseExpression(text: string): Expression {
  return parseAll(text, parseExpressionAt);
}

/**
 * A column list as in CREATE, without its parentheses: `ID BIGINT KEY, NAME STRING`.
 * @throws {StatementError}
 */
export function parseColumns(text: string): ColumnDefinition[] {
  return parseAll(text, parseColumnList);
}

function parseAll<T>(text: string, rule: (cursor: Cursor) => T): T {
  const tooLong = sizeError(text);
  if (tooLong !== null) throw tooLong;
  const cursor = cursorOver(text, lex(text), NO_VARIABLES);
  const result = rule(cursor);
  if (cursor.token.kind !== 'end') cursor.fail('the end');
  return result;
}

/** The tokens between semicolons, each run closed by an end token; empty runs are left out. */
function statementTokens(tokens: readonly Token[]): Token[][] {
  const runs: Token[][] = [];
  let run: Token[] = [];
  for (const token of tokens) {
    if (token.key !== ';' && token.kind !== 'end') {
      run.push(token);
    } else if (run.length > 0) {
      run.push({ ...token, kind: 'end', text: '', key: '', end: token.start });
      runs.push(run);
      run = [];
    }
  }
  return runs;
}

function cursorOver(
  sql: string,
  tokens: readonly Token[],
  variables: ReadonlyMap<string, string>,
): Cursor {
  if (!tokens.some(mayReferToVariable)) return new Cursor(sql, tokens);
  const { text, places } = RARE_STATEMENTS.code.substituteStatement(sql, tokens, variables);
  return new Cursor(text, lex(text, places));
}

/** An error at the character that makes a text too long, or null. */
function sizeError(sql: string): StatementError | null {
  return sql.length * 3 <= STATEMENT_BYTES_MAX ? null : SYNTAX_ERROR.code.sizeError(sql);
}
