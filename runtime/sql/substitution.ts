// Replaces ${variables} in SQL text before it is parsed; it knows tokens, not statements, and never lets a value become more than one token.

import { StatementError } from '../base/errors.ts';
import { STATEMENT_BYTES_MAX } from '../base/limits.ts';
import { RESERVED } from './keywords.ts';
import { lex, mayReferToVariable, placesOf } from './lexer.ts';
import type { Places, Token } from './lexer.ts';

const REFERENCE = /\$?\$\{[A-Za-z_][A-Za-z0-9_]*\}/g;
const LITERAL_WORDS: ReadonlySet<string> = new Set(['NULL', 'TRUE', 'FALSE']);

/**
 * The text with each `${name}` replaced by the variable's value, within text and quoted names too, but not in
 * comments. Names are compared without case; an unknown variable stays as it is; `$${name}` becomes `${name}`.
 *
 * Within quotes a value may be anything, and the quote in it is doubled. Elsewhere it must be one name or one
 * constant, so that a value can never add a clause or a statement.
 * @throws {StatementError} SYNTAX at a variable whose value is neither, LIMIT when the text grows beyond STATEMENT_BYTES_MAX
 */
export function substitute(sql: string, variables: ReadonlyMap<string, string>): string {
  return replace(sql, lex(sql), 0, variables).text;
}

/** A text after replacement, with the places that its tokens had in the text before it. */
export interface Replaced {
  readonly text: string;
  readonly places: Places;
}

/** As `substitute`, for the one statement of `sql` that `tokens` make up; the new text starts at its first token. */
export function substituteStatement(
  sql: string,
  tokens: readonly Token[],
  variables: ReadonlyMap<string, string>,
): Replaced {
  const first = tokens[0];
  const from = first?.start ?? 0;
  const { text, stretches } = replace(sql, tokens, from, variables);
  return { text, places: placesThrough(stretches, from, placesOf(sql, from, first?.at)) };
}

/** A stretch of the new text and what it stands for in the old one; ends are exclusive. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly originStart: number;
  readonly originEnd: number;
}

/** Replaces in `sql` from offset `from` to the last of `tokens`; offsets in the new text count from `from`. */
function replace(
  sql: string,
  tokens: readonly Token[],
  from: number,
  variables: ReadonlyMap<string, string>,
): { text: string; stretches: Stretch[] } {
  const values = new Map([...variables].map(([name, value]) => [name.toUpperCase(), value]));
  const stretches: Stretch[] = [];
  const parts: string[] = [];
  let copied = from;
  let length = 0;

  const put = (originStart: number, originEnd: number, value: string, token: Token): void => {
    const start = length + originStart - copied;
    length = start + value.length;
    if (length > STATEMENT_BYTES_MAX) {
      const message = `the statement grows beyond ${STATEMENT_BYTES_MAX} bytes here`;
      throw new StatementError('LIMIT', message, token.at, 'Shorten the values of its variables.');
    }
    parts.push(sql.slice(copied, originStart), value);
    stretches.push({ start, end: length, originStart, originEnd });
    copied = originEnd;
  };

  for (const token of tokens) {
    if (!mayReferToVariable(token)) continue;
    const quote = token.kind === 'variable' ? '' : sql.charAt(token.start);
    for (const match of sql.slice(token.start, token.end).matchAll(REFERENCE)) {
      const written = match[0];
      const start = token.start + match.index;
      const end = start + written.length;
      const value = values.get(written.slice(written.indexOf('{') + 1, -1).toUpperCase());
      if (written.startsWith('$$')) put(start, end, written.slice(1), token);
      else if (value === undefined) continue;
      else if (quote !== '') put(start, end, value.replaceAll(quote, quote + quote), token);
      else put(start, end, oneToken(value, token), token);
    }
  }
  parts.push(sql.slice(copied, tokens.at(-1)?.end));
  return { text: parts.join(''), stretches };
}

/** The value as it may stand outside quotes. */
function oneToken(value: string, variable: Token): string {
  const tokens = lex(value);
  const negative = tokens.length === 3 && tokens[0]?.key === '-';
  const token = negative ? tokens[1] : tokens[0];
  if (token !== undefined && tokens.length === (negative ? 3 : 2) && token.kind !== 'wrong') {
    switch (token.kind) {
      case 'integer':
      case 'decimal':
      case 'double':
        // The space keeps a minus sign before the variable from making a comment of the two.
        return negative ? ` ${value}` : value;
      case 'string':
      case 'quoted':
        if (!negative) return value;
        break;
      case 'word':
        if (!negative && (!RESERVED.has(token.key) || LITERAL_WORDS.has(token.key))) return value;
        break;
      default:
        break;
    }
  }
  throw new StatementError(
    'SYNTAX',
    `the value of ${variable.text} is not one name or one constant`,
    variable.at,
    "To use it as text, write it in quotes: '${name}'.",
  );
}

/** Places of the old text for offsets of the new one; all of a value lies where its variable stood. */
function placesThrough(stretches: readonly Stretch[], from: number, base: Places): Places {
  let index = 0;
  let shift = from;
  return {
    at(offset) {
      let stretch = stretches[index];
      while (stretch !== undefined && offset >= stretch.end) {
        shift = stretch.originEnd - stretch.end;
        index++;
        stretch = stretches[index];
      }
      if (stretch !== undefined && offset >= stretch.start) return base.at(stretch.originStart);
      return base.at(offset + shift);
    },
  };
}
