// Walks the tokens of a text and remembers what would have been welcome; it knows no grammar rule and words no error.

import { type Position, StatementError } from '../base/errors.ts';
import { AST_DEPTH_MAX } from '../base/limits.ts';
import type { Name } from './ast.ts';
import { RESERVED } from './keywords.ts';
import type { Token } from './lexer.ts';
import { SYNTAX_ERROR } from './parts.ts';
import type { Refusal } from './syntax-error.ts';

/** What a rule was looking for when it failed, which decides the hint. */
export type Sought = 'name' | 'text' | 'number';

/** A place in the tokens of one statement. Every method that takes a token moves on; every failure is a StatementError at the current token. */
export class Cursor {
  /** The text that the tokens were cut from. */
  readonly source: string;
  readonly #tokens: readonly Token[];
  /** The current token: only `advance` moves on. */
  token: Token;
  /** How many tokens lie behind. */
  index = 0;
  #depth = 0;
  /** What was asked for in vain at the current token. */
  #expected: string[] = [];
  /** The last name that was taken for an alias although no AS stood before it. */
  #bareAlias: Token | null = null;

  /** `tokens` end with an 'end' token, as `lex` makes them. */
  constructor(source: string, tokens: readonly Token[]) {
    this.source = source;
    this.#tokens = tokens;
    this.token = this.peek(0);
  }

  /** The token that was taken last; null at the beginning. */
  get before(): Token | null {
    return this.#tokens[this.index - 1] ?? null;
  }

  /** The token `ahead` places on; the end token beyond the end. */
  peek(ahead: number): Token {
    return this.#tokens[this.index + ahead] ?? (this.#tokens.at(-1) as Token);
  }

  /** Takes the current token, whatever it is. */
  advance(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.index++;
    this.token = this.peek(0);
    this.#expected = [];
    return token;
  }

  /** Whether the current token is this keyword or symbol. */
  is(key: string): boolean {
    return this.token.key === key;
  }

  /** Whether the current tokens are these, in order. */
  looksAt(...keys: readonly string[]): boolean {
    return keys.every((key, ahead) => this.peek(ahead).key === key);
  }

  /** Takes the keyword or symbol if it is next; if not, remembers that it was welcome. */
  accept(key: string): boolean {
    if (this.is(key)) {
      this.advance();
      return true;
    }
    this.#expected.push(key);
    return false;
  }

  /**
   * Takes a phrase, if its first word is next. A first word that may be a name begins the phrase only with the
   * second behind it; all further words must follow.
   */
  acceptPhrase(first: string, ...rest: readonly string[]): boolean {
    const begins = this.is(first) && (RESERVED.has(first) || this.peek(1).key === rest[0]);
    if (!begins) {
      this.#expected.push([first, ...rest].join(' '));
      return false;
    }
    this.advance();
    for (const key of rest) this.expect(key);
    return true;
  }

  /** Takes the keyword or symbol, which must be next. */
  expect(key: string, hint = ''): Token {
    if (!this.is(key)) this.fail(key, hint);
    return this.advance();
  }

  /** Whether `token` can be a name: a word that is not reserved, or anything in backticks or double quotes. */
  isName(token: Token = this.token): boolean {
    return token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.key));
  }

  /** Takes a name; `what` says which, for the error: 'a column name'. */
  name(what: string): Name {
    const token = this.token;
    if (!this.isName(token)) this.fail(what, '', 'name');
    this.advance();
    return { text: token.kind === 'word' ? token.key : token.text, at: token.at };
  }

  /** Takes a name that may stand without AS where an alias can, and remembers it: it may be a misspelt keyword. */
  bareAlias(): Name {
    this.#bareAlias = this.token;
    return this.name('an alias');
  }

  /** Takes text in single quotes. */
  string(what: string): string {
    const token = this.token;
    if (token.kind !== 'string') this.fail(what, '', 'text');
    return this.advance().text;
  }

  /** Takes a whole number of zero or more that a double holds exactly. */
  wholeNumber(what: string): number {
    const token = this.token;
    if (token.kind !== 'integer') this.fail(what, '', 'number');
    const value = Number(token.text);
    if (!Number.isSafeInteger(value))
      this.refuseAs('tooLarge', `${token.text} is too large for ${what}`);
    this.advance();
    return value;
  }

  /** A list with commas between its items. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.accept(',')) items.push(item());
    return items;
  }

  /** Runs a rule one level deeper; too many levels are an error where they become too many. */
  nested<T>(rule: () => T): T {
    this.#depth++;
    if (this.#depth > AST_DEPTH_MAX) this.refuseDepth(this.token.at);
    const result = rule();
    this.#depth--;
    return result;
  }

  /** Raises what is wrong with the current token; `what` was expected, beside all that was asked for in vain. */
  fail(what: string | readonly string[] = [], hint = '', sought: Sought | null = null): never {
    throw SYNTAX_ERROR.code.unexpected({
      source: this.source,
      token: this.token,
      before: this.before,
      expected: [...this.#expected, what].flat(),
      bareAlias: this.#bareAlias,
      sought,
      hint,
    });
  }

  /** Raises a message of the rule's own at the current token. */
  refuse(message: string, hint = '', at: Position = this.token.at): never {
    throw new StatementError('SYNTAX', message, at, hint);
  }

  /** As `refuse`, with words that are fetched when they are needed; `about` is what they speak of. */
  refuseAs(refusal: Refusal, about = '', at: Position = this.token.at): never {
    throw SYNTAX_ERROR.code.refusal(refusal, about, at);
  }

  /** Raises that something nests too deep. */
  refuseDepth(at: Position): never {
    throw SYNTAX_ERROR.code.refusal('tooDeep', '', at);
  }
}
