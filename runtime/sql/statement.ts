// Reads one statement: finds its rule by its first word; the rules are in definition-statements.ts and admin-statements.ts.

import type { Explain, Statement } from './ast.ts';
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
import { parseAlter, parseCreate, parseDrop, parseInsert } from './definition-statements.ts';
import { nearestWord } from './keywords.ts';
import { clauseHint, parseQuery } from './query.ts';

/** A statement before its own text is cut out. */
type Body = WithoutText<Statement>;
type WithoutText<S> = S extends Statement ? Omit<S, 'text'> : never;

const RULES: ReadonlyMap<string, (cursor: Cursor) => Body> = new Map([
  ['SELECT', parseSelect],
  ['CREATE', parseCreate],
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
    const words = [...RULES.keys()];
    const meant = nearestWord(token.key, words);
    const hint =
      meant === null ? `Statements start with ${words.join(', ')}.` : `Did you mean ${meant}?`;
    cursor.refuse(`no statement starts with ${token.text}`, hint);
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
