// Cuts SQL text into tokens in one pass; it knows characters, quotes and comments, but no grammar.

import type { Position } from '../base/errors.ts';

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

const SYMBOLS_OF_TWO: ReadonlyMap<string, string> = new Map([
  ['<>', '<>'],
  ['!=', '<>'],
  ['==', '='],
  ['<=', '<='],
  ['>=', '>='],
  ['=>', '=>'],
  [':=', ':='],
  ['->', '->'],
  ['||', '||'],
]);
const SYMBOLS_OF_ONE: ReadonlySet<string> = new Set('()[],;.*/%+-<>='.split(''));
const LETTER_BEYOND_ASCII = /^[\p{L}\p{M}\p{N}]$/u;
const VARIABLE = /\$?\$\{[A-Za-z_][A-Za-z0-9_]*\}/y;

/** Every token of a text, in time linear in its length; never throws. */
export function lex(text: string, places: Places = placesOf(text)): Token[] {
  const tokens: Token[] = [];
  let offset = 0;

  const push = (
    kind: TokenKind,
    start: number,
    end: number,
    content: string,
    key: string,
  ): void => {
    tokens.push({ kind, text: content, key, start, end, at: places.at(start) });
    offset = end;
  };
  const pushWrong = (start: number, end: number): void =>
    push('wrong', start, end, text.slice(start, end), '');

  while (offset < text.length) {
    const start = offset;
    const code = text.charCodeAt(start);
    if (isSpace(code)) {
      offset++;
    } else if (isWordStart(code)) {
      const end = wordEnd(text, start);
      if (isLetterBeyondAscii(text, end)) pushForeignWord(start);
      else {
        const word = text.slice(start, end);
        push('word', start, end, word, word.toUpperCase());
      }
    } else if (isDigit(code) || (code === DOT && isDigit(text.charCodeAt(start + 1)))) {
      pushNumber(start);
    } else if (code === QUOTE) {
      pushQuoted(start, 'string', "'");
    } else if (code === BACKTICK) {
      pushQuoted(start, 'quoted', '`');
    } else if (code === DOUBLE_QUOTE) {
      pushQuoted(start, 'quoted', '"');
    } else if (code === MINUS && text.charCodeAt(start + 1) === MINUS) {
      const newline = text.indexOf('\n', start);
      offset = newline === -1 ? text.length : newline + 1;
    } else if (code === SLASH && text.charCodeAt(start + 1) === STAR) {
      const close = text.indexOf('*/', start + 2);
      if (close === -1) {
        pushWrong(start, text.length);
      } else {
        offset = close + 2;
      }
    } else if (code === DOLLAR) {
      VARIABLE.lastIndex = start;
      const variable = VARIABLE.exec(text)?.[0];
      if (variable === undefined) pushWrong(start, start + 1);
      else push('variable', start, start + variable.length, variable, '');
    } else {
      pushSymbol(start);
    }
  }
  push('end', text.length, text.length, '', '');
  return tokens;

  function pushSymbol(start: number): void {
    const two = text.slice(start, start + 2);
    const key = SYMBOLS_OF_TWO.get(two);
    const one = text.charAt(start);
    if (key !== undefined) {
      push('symbol', start, start + 2, two, key);
    } else if (SYMBOLS_OF_ONE.has(one)) {
      push('symbol', start, start + 1, one, one);
    } else if (isLetterBeyondAscii(text, start)) {
      pushForeignWord(start);
    } else {
      pushWrong(start, start + String.fromCodePoint(text.codePointAt(start) ?? 0).length);
    }
  }

  function pushForeignWord(start: number): void {
    let end = start;
    while (isWordPart(text.charCodeAt(end)) || isLetterBeyondAscii(text, end)) {
      end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
    }
    pushWrong(start, end);
  }

  function pushQuoted(start: number, kind: 'string' | 'quoted', quote: string): void {
    let close = text.indexOf(quote, start + 1);
    let doubled = false;
    while (close !== -1 && text.charAt(close + 1) === quote) {
      doubled = true;
      close = text.indexOf(quote, close + 2);
    }
    if (close === -1) {
      pushWrong(start, text.length);
      return;
    }
    const inner = text.slice(start + 1, close);
    const content = doubled ? inner.replaceAll(quote + quote, quote) : inner;
    if (kind === 'quoted' && content === '') {
      pushWrong(start, close + 1);
    } else {
      push(kind, start, close + 1, content, '');
    }
  }

  function pushNumber(start: number): void {
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
    if (isWordPart(text.charCodeAt(end))) {
      pushNumberedWord(start, wordEnd(text, end));
    } else {
      push(kind, start, end, text.slice(start, end), '');
    }
  }

  /** A name may start with a digit, but a point or a sign makes `1.5x` a number that runs into a word. */
  function pushNumberedWord(start: number, end: number): void {
    const word = text.slice(start, end);
    if (wordEnd(text, start) === end) push('word', start, end, word, word.toUpperCase());
    else pushWrong(start, end);
  }
}

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKTICK = 0x60;
const DOLLAR = 0x24;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const AT_SIGN = 0x40;
const UNDERSCORE = 0x5f;
const LOWER_E = 0x65;
const BYTE_ORDER_MARK = 0xfeff;

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === BYTE_ORDER_MARK;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isWordStart(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a && code < 0x80) || code === UNDERSCORE;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || isDigit(code) || code === AT_SIGN;
}

function isLetterBeyondAscii(text: string, offset: number): boolean {
  const code = text.codePointAt(offset) ?? 0;
  return code >= 0x80 && LETTER_BEYOND_ASCII.test(String.fromCodePoint(code));
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (isWordPart(text.charCodeAt(end))) end++;
  return end;
}

function digitsEnd(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** Whether a token may hold a variable. */
export function mayReferToVariable(token: Token): boolean {
  if (token.kind === 'variable') return true;
  return (token.kind === 'string' || token.kind === 'quoted') && token.text.includes('${');
}
