// Cuts SQL text into tokens in one pass, the rarer ones by rare-tokens.ts; it knows characters, but no grammar.

import type { Position } from '../base/errors.ts';
import { RARE_SYNTAX } from './parts.ts';

/** What a token is. */
export type TokenKind =
  | 'word' // a keyword or a plain name
  | 'quoted' // a name in backticks or double quotes
  | 'string'
  | 'integer'
  | 'decimal'
  | 'double'
  | 'symbol'
  | 'variable' // ${name}, or $${name}, which stands for the text ${name}
  | 'wrong' // no token of the language; syntax-error.ts says why
  | 'end';

/** One token; the last of a text is always 'end'. */
export interface Token {
  readonly kind: TokenKind;
  /** As written, but without quotes and with doubled quotes undone for 'string' and 'quoted'. */
  readonly text: string;
  /** What the grammar compares: a word in upper case, or a symbol (`!=` as '<>', `==` as '='); '' for all else. */
  readonly key: string;
  /** Where it lies in the text, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly at: Position;
}

/** Turns an offset into a line and a column; offsets are asked for in rising order. */
export interface Places {
  at(offset: number): Position;
}

/** The places of a text that starts at an offset whose place is known: at its beginning, or at a statement within it. */
export function placesOf(
  text: string,
  start = 0,
  { line, column }: Position = { line: 1, column: 1 },
): Places {
  let lineStart = start - column + 1;
  let newline = text.indexOf('\n', start);
  return {
    at(offset) {
      while (newline !== -1 && newline < offset) {
        line++;
        lineStart = newline + 1;
        newline = text.indexOf('\n', lineStart);
      }
      return { line, column: offset - lineStart + 1 };
    },
  };
}

/** No comment, nor a number that begins with its point. */
const SYMBOL = /(?!--|\/\*|\.\d)(?:<>|!=|[=<>:]=|[=-]>|\|\||[()[\],;.*/%+<>=-])/y;

/** Every token of a text, in time linear in its length. @throws {PartMissing}; nothing else */
export function lex(text: string, places: Places = placesOf(text)): Token[] {
  const tokens: Token[] = [];
  let offset = 0;

  const push = ({ kind, text, key, end }: Cut): void => {
    tokens.push({ kind, text, key, start: offset, end, at: places.at(offset) });
    offset = end;
  };

  while (offset < text.length) {
    const code = text.charCodeAt(offset);
    if (isSpace(code)) offset++;
    else {
      const cut = plainToken(text, offset, code) ?? RARE_SYNTAX.code.rareToken(text, offset);
      if (typeof cut === 'number') offset = cut;
      else push(cut);
    }
  }
  push({ kind: 'end', text: '', key: '', end: offset });
  return tokens;
}

/** A token before its place is known. */
export type Cut = Pick<Token, 'kind' | 'text' | 'key' | 'end'>;

/** A word, a whole number, a text without quotes in it or a symbol; null where something else begins, which may be none of these. */
function plainToken(text: string, start: number, code: number): Cut | null {
  const isNumber = isDigit(code);
  if (isNumber || isWordStart(code)) {
    const end = isNumber ? digitsEnd(text, start) : wordEnd(text, start);
    const next = text.charCodeAt(end);
    if (next >= 0x80 || (isNumber && (next === DOT || isWordPart(next)))) return null;
    const word = text.slice(start, end);
    return isNumber
      ? { kind: 'integer', text: word, key: '', end }
      : { kind: 'word', text: word, key: word.toUpperCase(), end };
  }
  if (code === QUOTE) {
    const close = text.indexOf("'", start + 1);
    return close === -1 || text.charCodeAt(close + 1) === QUOTE
      ? null
      : { kind: 'string', text: text.slice(start + 1, close), key: '', end: close + 1 };
  }
  SYMBOL.lastIndex = start;
  const symbol = SYMBOL.exec(text)?.[0];
  if (symbol === undefined) return null;
  const key = symbol === '!=' ? '<>' : symbol === '==' ? '=' : symbol;
  return { kind: 'symbol', text: symbol, key, end: SYMBOL.lastIndex };
}

const QUOTE = 0x27;
const DOT = 0x2e;
const AT_SIGN = 0x40;
const UNDERSCORE = 0x5f;
const BYTE_ORDER_MARK = 0xfeff;

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === BYTE_ORDER_MARK;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWordStart(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a && code < 0x80) || code === UNDERSCORE;
}

export function isWordPart(code: number): boolean {
  return isWordStart(code) || isDigit(code) || code === AT_SIGN;
}

export function wordEnd(text: string, start: number): number {
  let end = start;
  while (isWordPart(text.charCodeAt(end))) end++;
  return end;
}

export function digitsEnd(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** Whether a token may hold a variable. */
export function mayReferToVariable(token: Token): boolean {
  if (token.kind === 'variable') return true;
  return (token.kind === 'string' || token.kind === 'quoted') && token.text.includes('${');
}
