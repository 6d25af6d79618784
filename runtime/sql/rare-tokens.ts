// Cuts what few texts hold: comments, quoted names, doubled quotes, variables, numbers that are not whole, letters beyond ASCII; knows no grammar.

import { type Cut, digitsEnd, isDigit, isWordPart, type TokenKind, wordEnd } from './lexer.ts';

const LETTER_BEYOND_ASCII = /^[\p{L}\p{M}\p{N}]$/u;
const VARIABLE = /\$?\$\{[A-Za-z_][A-Za-z0-9_]*\}/y;

const QUOTES: ReadonlyMap<string, 'string' | 'quoted'> = new Map([
  ["'", 'string'],
  ['`', 'quoted'],
  ['"', 'quoted'],
]);
const DOT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const LOWER_E = 0x65;

/** What begins at `start` and is no plain token; of a comment the offset behind it. */
export function rareToken(text: string, start: number): Cut | number {
  const code = text.charCodeAt(start);
  const quoted = QUOTES.get(text.charAt(start));
  if (quoted !== undefined) return quotedToken(text, start, quoted);
  if (isDigit(code) || (code === DOT && isDigit(text.charCodeAt(start + 1))))
    return numberToken(text, start);
  if (text.startsWith('--', start)) {
    const newline = text.indexOf('\n', start);
    return newline === -1 ? text.length : newline + 1;
  }
  if (text.startsWith('/*', start)) {
    const close = text.indexOf('*/', start + 2);
    return close === -1 ? wrong(text, start, text.length) : close + 2;
  }
  if (text.charAt(start) === '$') {
    VARIABLE.lastIndex = start;
    const variable = VARIABLE.exec(text)?.[0];
    if (variable === undefined) return wrong(text, start, start + 1);
    return cut('variable', variable, start + variable.length);
  }
  const end = wordEnd(text, start);
  if (end > start && !isLetterBeyondAscii(text, end)) return wordToken(text, start, end);
  if (end > start || isLetterBeyondAscii(text, start)) return foreignWord(text, start);
  return wrong(text, start, start + String.fromCodePoint(text.codePointAt(start) ?? 0).length);
}

function cut(kind: TokenKind, text: string, end: number, key = ''): Cut {
  return { kind, text, key, end };
}

function wrong(text: string, start: number, end: number): Cut {
  return cut('wrong', text.slice(start, end), end);
}

function wordToken(text: string, start: number, end: number): Cut {
  const word = text.slice(start, end);
  return cut('word', word, end, word.toUpperCase());
}

function foreignWord(text: string, start: number): Cut {
  let end = start;
  while (isWordPart(text.charCodeAt(end)) || isLetterBeyondAscii(text, end)) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return wrong(text, start, end);
}

function quotedToken(text: string, start: number, kind: 'string' | 'quoted'): Cut {
  const quote = text.charAt(start);
  let close = text.indexOf(quote, start + 1);
  while (close !== -1 && text.charAt(close + 1) === quote) close = text.indexOf(quote, close + 2);
  if (close === -1) return wrong(text, start, text.length);
  const content = text.slice(start + 1, close).replaceAll(quote + quote, quote);
  return kind === 'quoted' && content === ''
    ? wrong(text, start, close + 1)
    : cut(kind, content, close + 1);
}

function numberToken(text: string, start: number): Cut {
  let kind: 'integer' | 'decimal' | 'double' = 'integer';
  let end = digitsEnd(text, start);
  if (text.charCodeAt(end) === DOT) {
    kind = 'decimal';
    end = digitsEnd(text, end + 1);
  }
  if ((text.charCodeAt(end) | 0x20) === LOWER_E) {
    const sign = text.charCodeAt(end + 1);
    const digits = sign === PLUS || sign === MINUS ? end + 2 : end + 1;
    if (isDigit(text.charCodeAt(digits))) {
      kind = 'double';
      end = digitsEnd(text, digits);
    }
  }
  return isWordPart(text.charCodeAt(end))
    ? numberedWord(text, start, wordEnd(text, end))
    : cut(kind, text.slice(start, end), end);
}

/** A name may start with a digit, but a point or a sign makes `1.5x` a number that runs into a word. */
function numberedWord(text: string, start: number, end: number): Cut {
  return wordEnd(text, start) === end ? wordToken(text, start, end) : wrong(text, start, end);
}

function isLetterBeyondAscii(text: string, offset: number): boolean {
  const code = text.codePointAt(offset) ?? 0;
  return code >= 0x80 && LETTER_BEYOND_ASCII.test(String.fromCodePoint(code));
}
