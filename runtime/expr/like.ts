// The LIKE operator's matcher: `%` any text, `_` one character; knows no columns. Own code, so that no pattern is slow.

import { RecordError } from '../base/errors.ts';

const ANY = -1;
const ONE = -2;

/**
 * Compiles a LIKE pattern. Characters are code points. Cost of a match: the text's length times the longest run of the
 * pattern between two `%` at worst.
 * @param escape the character that makes the next one plain, or null
 * @throws {RecordError} EXPRESSION when the pattern ends in the escape character
 */
export function likeMatcher(pattern: string, escape: string | null): (text: string) => boolean {
  const tokens: number[] = [];
  let escaped = false;
  for (const character of pattern) {
    if (!escaped && character === escape) {
      escaped = true;
      continue;
    }
    if (!escaped && character === '%') {
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else if (!escaped && character === '_') tokens.push(ONE);
    else tokens.push(character.codePointAt(0) ?? 0);
    escaped = false;
  }
  if (escaped)
    throw new RecordError('EXPRESSION', 'a LIKE pattern must not end in its escape character');
  return plainMatcher(tokens) ?? ((text) => matches(tokens, text));
}

/** The usual shapes `x`, `x%`, `%x` and `%x%` as calls of the platform; null for all others. */
function plainMatcher(tokens: readonly number[]): ((text: string) => boolean) | null {
  const open = tokens[0] === ANY;
  const end = tokens.length > 1 && tokens.at(-1) === ANY;
  const inner = tokens.slice(open ? 1 : 0, end ? -1 : undefined);
  if (inner.some((token) => token < 0)) return null;
  const plain = inner.map((token) => String.fromCodePoint(token)).join('');
  if (open && (end || plain === '')) return (text) => text.includes(plain);
  if (open) return (text) => text.endsWith(plain);
  if (end) return (text) => text.startsWith(plain);
  return (text) => text === plain;
}

/** Greedy matching that on a mismatch goes back to the last `%` only: what came before it has matched for good. */
function matches(tokens: readonly number[], text: string): boolean {
  let token = 0;
  let at = 0;
  let retryToken = -1;
  let retryAt = 0;
  while (at < text.length) {
    const wanted = tokens[token];
    const here = text.codePointAt(at) ?? 0;
    if (wanted === ANY) {
      retryToken = ++token;
      retryAt = at;
    } else if (wanted === ONE || wanted === here) {
      token++;
      at += here > 0xffff ? 2 : 1;
    } else if (retryToken >= 0) {
      retryAt += (text.codePointAt(retryAt) ?? 0) > 0xffff ? 2 : 1;
      at = retryAt;
      token = retryToken;
    } else return false;
  }
  while (tokens[token] === ANY) token++;
  return token === tokens.length;
}
