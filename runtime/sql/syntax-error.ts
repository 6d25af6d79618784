// Words every error of syntax, with a hint of what was probably meant; fetched when the first text is wrong. It knows no grammar rule.

import { StatementError, type StatementCode } from '../base/errors.ts';
import type { Position } from '../base/errors.ts';
import { AST_DEPTH_MAX, COLUMNS_MAX, STATEMENT_BYTES_MAX } from '../base/limits.ts';
import type { Sought } from './cursor.ts';
import { RESERVED } from './keywords.ts';
import { placesOf, type Token } from './lexer.ts';
import { nearestWord } from './nearest-word.ts';

/** Where a rule failed and what would have been welcome there. */
export interface Failure {
  readonly source: string;
  readonly token: Token;
  /** The token before it; null at the beginning. */
  readonly before: Token | null;
  readonly expected: readonly string[];
  /** The last name that was taken for an alias although no AS stood before it. */
  readonly bareAlias: Token | null;
  readonly sought: Sought | null;
  /** The rule's own hint, or ''. */
  readonly hint: string;
}

/** What a rule refuses: message and hint; `%` stands for what it speaks of. */
const REFUSALS = {
  tooDeep: [
    `this nests more than ${AST_DEPTH_MAX} levels deep`,
    'Split it over several statements.',
  ],
  tooLarge: ['%', ''],
  tooManySelected: [`a query selects at most ${COLUMNS_MAX} columns`, ''],
  tooManyColumns: [`a source has at most ${COLUMNS_MAX} columns`, ''],
  tooLongATime: ['% is too long a time', ''],
  selectDistinct: [
    'SELECT DISTINCT is not part of the language',
    'GROUP BY keeps one row of each group.',
  ],
  callDistinct: [
    'DISTINCT does not stand inside a call',
    'COUNT_DISTINCT(x) counts distinct values.',
  ],
  structStar: ['->* follows a STRUCT, not an operation', 'Give the operation its own column.'],
  subquery: [
    'a query cannot stand inside a query',
    'CREATE STREAM or TABLE ... AS gives the inner query a name.',
  ],
  secondSource: ['a query reads from one source', 'Use JOIN ... ON to read from two.'],
  bigint: [
    '% does not fit a BIGINT',
    'A BIGINT has 64 bits; with a point at the end the number is a DECIMAL.',
  ],
  double: ['% does not fit a DOUBLE', ''],
  qualifiers: [
    'a column has at most one source before it',
    'Fields of a STRUCT are reached with ->.',
  ],
  chained: [
    '% cannot follow another condition',
    'Conditions do not chain: join them with AND, or use parentheses.',
  ],
  not: ['NOT cannot stand here', 'Put the negation in parentheses: (NOT ...).'],
  secondRow: ['one statement takes one row of values', 'Write an INSERT for each row.'],
  columnsOfQuery: [
    'a query gives its own columns',
    'Leave out either the column list or AS SELECT.',
  ],
  sourceOfQuery: [
    'CREATE SOURCE does not take a query',
    'Leave out SOURCE: the result of a query is written by it.',
  ],
  insertColumns: [
    'INSERT INTO ... SELECT takes no column list',
    'The names of the selected columns decide.',
  ],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type Refusal = keyof typeof REFUSALS;

const LIMITS: ReadonlySet<Refusal> = new Set(['tooDeep', 'tooManySelected', 'tooManyColumns']);

/** The error of a rule that refuses what it has read. */
export function refusal(refused: Refusal, about: string, at: Position | null): StatementError {
  const [message, hint] = REFUSALS[refused];
  const code: StatementCode = LIMITS.has(refused) ? 'LIMIT' : 'SYNTAX';
  return new StatementError(
    code,
    message.replace('%', () => about),
    at,
    hint,
  );
}

// The words that statements start with, as messages list them.
const STATEMENT_STARTS: readonly string[] =
  'SELECT,CREATE,INSERT,DROP,ALTER,TERMINATE,PAUSE,RESUME,SET,UNSET,DEFINE,UNDEFINE,SHOW,LIST,DESCRIBE,EXPLAIN,PRINT,ASSERT,RUN'.split(
    ',',
  );

/** The error of a word that starts no statement. */
export function unknownStatement(token: Token): StatementError {
  const known = STATEMENT_STARTS;
  const meant = nearestWord(token.key, known);
  const hint =
    meant === null ? `Statements start with ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return new StatementError('SYNTAX', `no statement starts with ${token.text}`, token.at, hint);
}

/** The error of a rule that cannot go on at a token. */
export function unexpected(failure: Failure): StatementError {
  const { token } = failure;
  const error = (message: string, hint: string): StatementError =>
    new StatementError('SYNTAX', message, token.at, hint);
  if (token.kind === 'wrong') return error(...wrong(token));
  if (token.kind === 'variable') {
    const variable = token.text.slice(token.text.indexOf('{') + 1, -1);
    return error(
      `the variable ${token.text} is not defined`,
      `DEFINE ${variable} = '...'; before.`,
    );
  }
  const expected = [...new Set(failure.expected)];
  const found = describe(token);
  const message =
    expected.length === 0
      ? `${found} is out of place`
      : `expected ${either(expected)}, found ${found}`;
  const own = failure.hint === '' ? soughtHint(failure) : failure.hint;
  return error(message, own === '' ? hintFor(failure, expected) : own);
}

// What is probably meant by a character that the language does not have.
const STRAY_HINTS: ReadonlyMap<string, string> = new Map([
  ['&', 'Conditions are joined with AND.'],
  ['|', 'Conditions are joined with OR, text with ||.'],
  ['!', 'Conditions are negated with NOT.'],
  ['#', 'Comments start with --.'],
  ['\u00a0', 'This is a no-break space; replace it by an ordinary one.'],
  ...Array.from(
    '‘’‚‛“”„«»´',
    (quote) => [quote, "Text goes in straight single quotes: 'text'."] as const,
  ),
]);

/** Why a stretch of text is no token, and what to do about it. */
function wrong({ text }: Token): [message: string, hint: string] {
  const [first = ''] = text;
  switch (first) {
    case '/':
      return ['this comment has no end', 'Close it with */.'];
    case '$':
      return [
        "'$' does not start a variable here",
        'A variable is written ${name}, with letters, digits and underscores.',
      ];
    case "'":
      return unclosed(first, 'text', 'A quote within text is written twice.');
    case '`':
    case '"':
      if (text.length === 2) return ['a name must not be empty', ''];
      return first === '`'
        ? unclosed(first, 'name', 'A backtick within a name is written twice.')
        : unclosed(first, 'name', 'Text goes in single quotes.');
    default:
  }
  if (/^[\d.]/.test(text)) {
    return [`${text} is neither a number nor a name`, 'Put a space behind the number.'];
  }
  if (/^[\p{L}\p{M}\p{N}_]/u.test(text)) {
    return [`the name ${text} has letters beyond A to Z`, `Put it in backticks: \`${text}\`.`];
  }
  return [`${JSON.stringify(text)} is not part of the language`, STRAY_HINTS.get(text) ?? ''];
}

function unclosed(quote: string, noun: string, hint: string): [string, string] {
  return [`the ${noun} that starts here has no closing ${quote}`, hint];
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

/** A hint from what was looked for: a name, text or a number. */
function soughtHint({ token, before, source, sought, expected }: Failure): string {
  const isWord = token.kind === 'word';
  switch (sought) {
    case 'name':
      if (token.kind === 'string') {
        return 'Names stand plain or in backticks; single quotes are for text.';
      }
      switch (before?.key) {
        case 'DESCRIBE':
          return 'Write DESCRIBE name EXTENDED.';
        case 'TERMINATE':
        case 'PAUSE':
        case 'RESUME':
          return `Write ${before.key} id, as SHOW QUERIES has it.`;
        default:
      }
      if (!isWord) return '';
      // Of columns that are declared or named one by one none is left out: there the word is meant as a name.
      if (
        before?.key === ',' &&
        CLAUSE_STARTS.has(token.key) &&
        !expected.includes('a column name')
      )
        return 'Is the comma before it one too many?';
      return `${token.key} is a reserved word; in backticks it is a name: \`${token.text}\`.`;
    case 'text': {
      const doubleQuoted = token.kind === 'quoted' && source.charAt(token.start) === '"';
      return doubleQuoted || isWord ? 'Text goes in single quotes.' : '';
    }
    case 'number': {
      const number = isWord ? /^\d+/.exec(token.text)?.[0] : undefined;
      if (number === undefined) return '';
      return `Put a space behind the number: ${number} ${token.text.slice(number.length)}.`;
    }
    case null:
      return '';
  }
}

// What is probably meant by a symbol where it has no place.
const MISPLACED: ReadonlyMap<string, string> = new Map([
  ['=>', 'A lambda stands only as an argument of a function.'],
  ['->', 'Fields of a STRUCT are reached with ->, all of them by ->* in a SELECT list.'],
  [':=', 'Entries of MAP and STRUCT are written with :=, properties and conditions with =.'],
  ['=', 'Entries of MAP and STRUCT are written with :=.'],
]);

const ITEMS: ReadonlySet<string> = new Set(['quoted', 'string', 'integer', 'decimal', 'double']);

function hintFor(failure: Failure, expected: readonly string[]): string {
  const { token } = failure;
  const misspelt = spellingHint(failure, expected);
  if (misspelt !== '') return misspelt;
  const isItem = ITEMS.has(token.kind) || (token.kind === 'word' && !RESERVED.has(token.key));
  if (isItem && expected.includes(',')) return 'Is a comma missing before it?';
  return MISPLACED.get(token.key) ?? '';
}

const CLAUSE_ORDER =
  'FROM, JOIN, WINDOW, WHERE, GROUP BY, PARTITION BY, HAVING, ORDER BY, EMIT, LIMIT';

// Clauses that a misspelling, read as an alias for want of an AS, may have been meant for.
const CLAUSES: readonly string[] =
  `AS, GROUP, ${CLAUSE_ORDER}, INNER, LEFT, RIGHT, FULL, WITHIN, ON`.split(', ');

function spellingHint({ token, before, bareAlias }: Failure, expected: readonly string[]): string {
  const phrases = expected.filter((key) => /^[A-Z ]+$/.test(key));
  const words = phrases.flatMap((phrase) => [phrase, phrase.split(' ')[0] ?? '']);
  const meant = token.kind === 'word' ? nearestWord(token.key, words) : null;
  if (meant !== null) return `Did you mean ${meant}?`;
  if (bareAlias === null || bareAlias !== before) return '';
  const clause = nearestWord(bareAlias.key, CLAUSES);
  return clause === null ? '' : `${bareAlias.text} was read as an alias; did you mean ${clause}?`;
}

const CONDITION_STARTS: ReadonlySet<string> = new Set(
  'AND OR NOT IS IN LIKE BETWEEN = <> < <= > >='.split(' '),
);

const CLAUSE_STARTS: ReadonlySet<string> = new Set(CLAUSE_ORDER.split(/(?: BY)?, /));

/** What to say when a statement goes on with that token: a condition, a clause out of order, or nothing. */
export function endHint({ key }: Token): string {
  if (STATEMENT_STARTS.includes(key)) return 'A statement ends with a semicolon.';
  if (CONDITION_STARTS.has(key)) return 'A condition goes in parentheses here.';
  return CLAUSE_STARTS.has(key) ? `The clauses of a query are in this order: ${CLAUSE_ORDER}.` : '';
}

/** What was due where no unit of time stands, and the hint. */
export function unitDue({ key }: Token): [units: readonly string[], hint: string] {
  const isTooLong = /^(WEEK|MONTH|YEAR)S?$/.test(key);
  return [
    ['MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS'],
    isTooLong ? 'The longest unit is DAYS.' : '',
  ];
}

/** An error at the character that makes a text too long, or null. */
export function sizeError(sql: string): StatementError | null {
  let bytes = 0;
  for (let offset = 0; offset < sql.length; offset++) {
    const code = sql.charCodeAt(offset);
    // Each half of a surrogate pair stands for two of its four bytes.
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    bytes += code < 0x80 ? 1 : code < 0x800 || surrogate ? 2 : 3;
    if (bytes > STATEMENT_BYTES_MAX) {
      const message = `the text is longer than ${STATEMENT_BYTES_MAX} bytes`;
      return new StatementError('LIMIT', message, placesOf(sql).at(offset), 'Send it in parts.');
    }
  }
  return null;
}
