// Walks the tokens of a text, remembers what would have been welcome, and words the errors; it knows no grammar rule.

import { StatementError } from '../base/errors.ts';
import type { Position } from '../base/errors.ts';
import { AST_DEPTH_MAX } from '../base/limits.ts';
import type { Name } from './ast.ts';
import { nearestWord, RESERVED } from './keywords.ts';
import type { Token } from './lexer.ts';

// Clauses that a misspelling, read as an alias for want of an AS, may have been meant for.
const CLAUSES: readonly string[] =
  'AS,FROM,WINDOW,WHERE,GROUP,GROUP BY,PARTITION BY,HAVING,ORDER BY,EMIT,LIMIT,JOIN,INNER,LEFT,RIGHT,FULL,WITHIN,ON'.split(
    ',',
  );

// What is probably meant by a symbol where it has no place.
const MISPLACED: ReadonlyMap<string, string> = new Map([
  ['=>', 'A lambda stands only as an argument of a function.'],
  ['->', 'Fields of a STRUCT are reached with ->, all of them by ->* in a SELECT list.'],
  [':=', 'Entries of MAP and STRUCT are written with :=, properties and conditions with =.'],
  ['=', 'Entries of MAP and STRUCT are written with :=.'],
]);

/** A place in the tokens of one statement. Every method that takes a token moves on; every failure is a StatementError at the current token. */
export class Cursor {
  /** The text that the tokens were cut from. */
  readonly source: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  /** What was asked for in vain at the current token. */
  #expected: string[] = [];
  /** The last name that was taken for an alias although no AS stood before it. */
  #bareAlias: Token | null = null;

  /** `tokens` end with an 'end' token, as `lex` makes them. */
  constructor(source: string, tokens: readonly Token[]) {
    this.source = source;
    this.#tokens = tokens;
  }

  /** The current token. */
  get token(): Token {
    return this.peek(0);
  }

  /** How many tokens lie behind. */
  get index(): number {
    return this.#index;
  }

  /** Where in the text the last token that was taken ends. */
  get endBehind(): number {
    return this.#tokens[this.#index - 1]?.end ?? 0;
  }

  /** The token `ahead` places on; the end token beyond the end. */
  peek(ahead: number): Token {
    const last = this.#tokens.length - 1;
    const token = this.#tokens[Math.min(this.#index + ahead, last)];
    if (token === undefined) throw new StatementError('SYNTAX', 'there is no statement');
    return token;
  }

  /** Takes the current token, whatever it is. */
  advance(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#index++;
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
    if (!this.isName(token)) this.fail(what, this.#nameHint(token));
    this.advance();
    return { text: token.kind === 'word' ? token.key : token.text, at: token.at };
  }

  /** Takes a name that may stand without AS where an alias can, and remembers it: it may be a misspelt keyword. */
  bareAlias(): Name {
    this.#bareAlias = this.token;
    return this.name('an alias');
  }

  /** Takes a topic or subject, as text or as a name, whose case is kept either way. */
  resource(what: string): Name {
    const token = this.token;
    if (token.kind !== 'string' && !this.isName(token)) this.fail(what, this.#nameHint(token));
    this.advance();
    return { text: token.text, at: token.at };
  }

  /** Takes text in single quotes. */
  string(what: string): string {
    const token = this.token;
    if (token.kind !== 'string') this.fail(what, this.#textHint(token));
    return this.advance().text;
  }

  /** Takes a whole number of zero or more that a double holds exactly. */
  wholeNumber(what: string): number {
    const token = this.token;
    if (token.kind !== 'integer') {
      const number = /^\d+/.exec(token.kind === 'word' ? token.text : '')?.[0];
      const split = number === undefined ? '' : `${number} ${token.text.slice(number.length)}`;
      this.fail(what, split === '' ? '' : `Put a space behind the number: ${split}.`);
    }
    const value = Number(token.text);
    if (!Number.isSafeInteger(value)) this.refuse(`${token.text} is too large for ${what}`);
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
  fail(what: string | readonly string[] = [], hint = ''): never {
    const token = this.token;
    if (token.problem !== null) this.refuse(token.problem.message, token.problem.hint);
    if (token.kind === 'variable') {
      const variable = token.text.slice(token.text.indexOf('{') + 1, -1);
      this.refuse(
        `the variable ${token.text} is not defined`,
        `DEFINE ${variable} = '...'; before.`,
      );
    }
    const expected = [...new Set([...this.#expected, what].flat())];
    const found = describe(token);
    const message =
      expected.length === 0
        ? `${found} is out of place`
        : `expected ${either(expected)}, found ${found}`;
    this.refuse(message, hint === '' ? this.#hint(token, expected) : hint);
  }

  /** Raises a message of the rule's own at the current token. */
  refuse(message: string, hint = '', at: Position = this.token.at): never {
    throw new StatementError('SYNTAX', message, at, hint);
  }

  /** Raises that something nests too deep. */
  refuseDepth(at: Position): never {
    const message = `this nests more than ${AST_DEPTH_MAX} levels deep`;
    throw new StatementError('LIMIT', message, at, 'Split it over several statements.');
  }

  /** Raises that a list has more items than a limit of base/limits.ts allows. */
  refuseCount(message: string): never {
    throw new StatementError('LIMIT', message, this.token.at);
  }

  #hint(token: Token, expected: readonly string[]): string {
    const misspelt = this.#spellingHint(token, expected);
    if (misspelt !== '') return misspelt;
    const item =
      this.isName(token) || ['string', 'integer', 'decimal', 'double'].includes(token.kind);
    if (item && expected.includes(',')) return 'Is a comma missing before it?';
    return MISPLACED.get(token.key) ?? '';
  }

  #spellingHint(token: Token, expected: readonly string[]): string {
    const phrases = expected.filter((key) => /^[A-Z ]+$/.test(key));
    const words = phrases.flatMap((phrase) => [phrase, phrase.split(' ')[0] ?? '']);
    const meant = token.kind === 'word' ? nearestWord(token.key, words) : null;
    if (meant !== null) return `Did you mean ${meant}?`;
    const alias = this.#bareAlias;
    if (alias === null || alias !== this.#tokens[this.#index - 1]) return '';
    const clause = nearestWord(alias.key, CLAUSES);
    return clause === null ? '' : `${alias.text} was read as an alias; did you mean ${clause}?`;
  }

  #nameHint(token: Token): string {
    if (token.kind === 'string') {
      return 'Names stand plain or in backticks; single quotes are for text.';
    }
    if (token.kind !== 'word') return '';
    if (this.#tokens[this.#index - 1]?.key === ',') return 'Is the comma before it one too many?';
    return `${token.key} is a reserved word; in backticks it is a name: \`${token.text}\`.`;
  }

  #textHint(token: Token): string {
    const doubleQuoted = token.kind === 'quoted' && this.source.charAt(token.start) === '"';
    return doubleQuoted || token.kind === 'word' ? 'Text goes in single quotes.' : '';
  }
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the statement';
  const text = token.text.length > 24 ? `${token.text.slice(0, 24)}...` : token.text;
  if (token.kind === 'string') return `the text '${text}'`;
  if (token.kind === 'quoted') return `the name \`${text}\``;
  return token.kind === 'symbol' ? `'${text}'` : text;
}

function either(expected: readonly string[]): string {
  const shown = expected.map((key) => (/^[^A-Za-z]+$/.test(key) ? `'${key}'` : key));
  const last = shown.at(-1) ?? '';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} or ${last}`;
}
