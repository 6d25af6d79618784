// Finds the rule of a statement that is neither CREATE nor SELECT by its first word; the rules are in rare-definitions.ts, insert.ts and admin-statements.ts.

import type { Explain } from './ast.ts';
import {
  parseAssert,
  parseDescribe,
  parsePrint,
  parseQueryControl,
  parseRunScript,
  parseSession,
  parseShow,
} from './admin-statements.ts';
import type { Cursor } from './cursor.ts';
import { parseInsert } from './insert.ts';
import { SYNTAX_ERROR } from './parts.ts';
import { parseAlter, parseDrop } from './rare-definitions.ts';
import { type Body, parseStatement } from './statement.ts';

// What goes with it comes with it.
export * from './substitution.ts';

export { createConnector, createType } from './rare-definitions.ts';

const RULES: ReadonlyMap<string, (cursor: Cursor) => Body> = new Map([
  ['INSERT', parseInsert],
  ['DROP', parseDrop],
  ['ALTER', parseAlter],
  ['TERMINATE', parseQueryControl],
  ['PAUSE', parseQueryControl],
  ['RESUME', parseQueryControl],
  ['SET', parseSession],
  ['UNSET', parseSession],
  ['DEFINE', parseSession],
  ['UNDEFINE', parseSession],
  ['SHOW', parseShow],
  ['LIST', parseShow],
  ['DESCRIBE', parseDescribe],
  ['EXPLAIN', parseExplain],
  ['PRINT', parsePrint],
  ['ASSERT', parseAssert],
  ['RUN', parseRunScript],
]);

/** A statement that begins with another word than CREATE and SELECT. */
export function rareStatement(cursor: Cursor): Body {
  const { token } = cursor;
  const rule = RULES.get(token.key);
  if (rule !== undefined) return rule(cursor);
  if (token.kind !== 'word') cursor.fail('a statement');
  throw SYNTAX_ERROR.code.unknownStatement(token);
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
