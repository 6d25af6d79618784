// Compiles regular expressions and keeps the last ones; knows no function.

import { RE2JS, RE2JSException } from 're2js';
import { RecordError } from '../base/errors.ts';
import { PATTERN_INSTRUCTIONS_MAX, PATTERN_LENGTH_MAX, PATTERNS_MAX } from '../base/limits.ts';

/** Patterns by text; a constant one is compiled once. Those that are refused are kept too, with the reason. */
export class PatternCache {
  readonly #known = new Map<string, RE2JS | RecordError>();

  /** @throws {RecordError} EXPRESSION when the text is no pattern, or too large a one */
  get(text: string): RE2JS {
    let pattern = this.#known.get(text);
    if (pattern === undefined) {
      if (this.#known.size === PATTERNS_MAX) this.#known.clear();
      pattern = compile(text);
      this.#known.set(text, pattern);
    }
    if (pattern instanceof RecordError) throw pattern;
    return pattern;
  }
}

function refused(why: string): RecordError {
  return new RecordError('EXPRESSION', `a regular expression that cannot be used: ${why}`);
}

function compile(text: string): RE2JS | RecordError {
  if (text.length > PATTERN_LENGTH_MAX)
    return refused(`it has ${text.length} characters, and ${PATTERN_LENGTH_MAX} are the most`);
  if (nestsClasses(text))
    return refused('a character class within another, or && in one, is not supported');
  try {
    const pattern = RE2JS.compile(text, RE2JS.LOOKBEHINDS);
    const size = pattern.programSize();
    if (size <= PATTERN_INSTRUCTIONS_MAX) return pattern;
    return refused(
      `it repeats too much: ${size} steps, and ${PATTERN_INSTRUCTIONS_MAX} are the most`,
    );
  } catch (thrown) {
    // Also what Java has and RE2 has not: back references, look-aheads, possessive repetitions.
    if (thrown instanceof RE2JSException) return refused(thrown.message);
    throw thrown;
  }
}

/** True where Java would join or intersect classes, and RE2 would read plain characters: refused rather than misread. */
function nestsClasses(text: string): boolean {
  let inside = false;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const here = text.charAt(at);
    if (here === '\\') {
      const next = text.charAt(at + 1);
      if (next === 'Q') quoted = true;
      if (next === 'E') quoted = false;
      // Within a quotation a backslash is plain.
      if (!quoted || next === 'Q') at++;
    } else if (quoted) continue;
    else if (!inside && here === '[') {
      inside = true;
      if (text.charAt(at + 1) === '^') at++;
      // A bracket that comes first is plain.
      if (text.charAt(at + 1) === ']') at++;
    } else if (inside && here === ']') inside = false;
    else if (inside && (here === '[' || text.startsWith('&&', at))) return true;
  }
  return false;
}
