// Reads one statement: finds its rule by its first word; the rules are in definition-statements.ts and, fetched on first use, rare-definitions.ts and admin-statements.ts.

import type { Explain, Statement } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseCreate, parseInsert } from './definition-statements.ts';
import { ADMIN_STATEMENTS, RARE_DEFINITIONS, SYNTAX_ERROR } from './parts.ts';
import { clauseHint, parseQuery } from './query.ts';

/** A statement before its own text is cut out. */
type Body = WithoutText<Statement>;
type WithoutText<S> = S extends Statement ? Omit<S, 'text'> : never;

const RULES: ReadonlyMap<string, (cursor: Cursor) => Body> = new Map([
  ['SELECT', parseSelect],
  ['CREATE', parseCreate],
  ['INSERT', parseInsert],
  ['DROP', (cursor) => RARE_DEFINITIONS.code.parseDrop(cursor)],
  ['ALTER', (cursor) => RARE_DEFINITIONS.code.parseAlter(cursor)],
  ['TERMINATE', (cursor) => ADMIN_STATEMENTS.code.parseQueryControl(cursor)],
  ['PAUSE', (cursor) => ADMIN_STATEMENTS.code.parseQueryControl(cursor)],
  ['RESUME', (cursor) => ADMIN_STATEMENTS.code.parseQueryControl(cursor)],
  ['SET', (cursor) => ADMIN_STATEMENTS.code.parseSession(cursor)],
  ['UNSET', (cursor) => ADMIN_STATEMENTS.code.parseSession(cursor)],
  ['DEFINE', (cursor) => ADMIN_STATEMENTS.code.parseSession(cursor)],
  ['UNDEFINE', (cursor) => ADMIN_STATEMENTS.code.parseSession(cursor)],
  ['SHOW', (cursor) => ADMIN_STATEMENTS.code.parseShow(cursor)],
  ['LIST', (cursor) => ADMIN_STATEMENTS.code.parseShow(cursor)],
  ['DESCRIBE', (cursor) => ADMIN_STATEMENTS.code.parseDescribe(cursor)],
  ['EXPLAIN', parseExplain],
  ['PRINT', (cursor) => ADMIN_STATEMENTS.code.parsePrint(cursor)],
  ['ASSERT', (cursor) => ADMIN_STATEMENTS.code.parseAssert(cursor)],
  ['RUN', (cursor) => ADMIN_STATEMENTS.code.parseRunScript(cursor)],
]);

/** The statement that all of the cursor's tokens make up. */
export function parseWholeStatement(cursor: Cursor): Statement {
  const statement = parseStatement(cursor);
  if (cursor.token.kind !== 'end') {
    const hint = RULES.has(cursor.token.key) ? 'A statement ends with a semicolon.' : '';
    cursor.fail(';', hint === '' ? clauseHint(cursor) : hint);
  }
  return statement;
}

function parseStatement(cursor: Cursor): Statement {
  const { token } = cursor;
  const rule = RULES.get(token.key);
  if (rule === undefined) {
    if (token.kind !== 'word') cursor.fail('a statement');
    throw SYNTAX_ERROR.code.unknownStatement(token, [...RULES.keys()]);
  }
  const body = rule(cursor);
  return { ...body, text: cursor.source.slice(token.start, cursor.endBehind) };
}

function parseSelect(cursor: Cursor): Body {
  const { at } = cursor.token;
  return { kind: 'Select', query: parseQuery(cursor), at };
}

function parseExplain(cursor: Cursor): Body {
  const { at } = cursor.advance();
  return { kind: 'Explain', subject: explained(cursor), at };
}

function explained(cursor: Cursor): Explain['subject'] {
  // No statement is one word long, so that a single name is a query's.
  if (cursor.isName() && cursor.peek(1).kind === 'end') {
    return { kind: 'ExplainQuery', query: cursor.name('a query id') };
  }
  return { kind: 'ExplainStatement', statement: cursor.nested(() => parseStatement(cursor)) };
}
