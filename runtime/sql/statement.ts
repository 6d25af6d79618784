// Reads one statement: finds its rule by its first word; the rules of the rarer ones are in rare-statements.ts, fetched on first use.

import type { Statement } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseCreate } from './definition-statements.ts';
import { RARE_STATEMENTS, SYNTAX_ERROR } from './parts.ts';
import { parseQuery } from './query.ts';

/** A statement before its own text is cut out. */
export type Body = WithoutText<Statement>;
type WithoutText<S> = S extends Statement ? Omit<S, 'text'> : never;

/** The statement that all of the cursor's tokens make up. */
export function parseWholeStatement(cursor: Cursor): Statement {
  const statement = parseStatement(cursor);
  if (cursor.token.kind !== 'end') cursor.fail(';', SYNTAX_ERROR.code.endHint(cursor.token));
  return statement;
}

/** A statement, and nothing of what follows it. */
export function parseStatement(cursor: Cursor): Statement {
  const { key, start } = cursor.token;
  const body =
    key === 'CREATE'
      ? parseCreate(cursor)
      : key === 'SELECT'
        ? parseSelect(cursor)
        : RARE_STATEMENTS.code.rareStatement(cursor);
  return { ...body, text: cursor.source.slice(start, cursor.before?.end) };
}

function parseSelect(cursor: Cursor): Body {
  const { at } = cursor.token;
  return { kind: 'Select', query: parseQuery(cursor), at };
}
