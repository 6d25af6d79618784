// The bodies of the functions of regular expressions, over RE2, whose time is linear in the text; knows no signature.

import type { RE2JS } from 're2js';
import { RecordError } from '../base/errors.ts';
import type { Value } from '../data/type.ts';
import { checkLength } from '../data/value.ts';
import { PatternCache } from './patterns.ts';
import type { ScalarBody } from './registry.ts';
import { type Replacement, parseReplacement } from './replacement.ts';

/** The group that a call asks for; null when the pattern has fewer. @throws {RecordError} EXPRESSION for a negative one */
function groupOf(pattern: RE2JS, given: Value | undefined): number | null {
  const group = (given ?? 0) as number;
  if (group < 0) throw new RecordError('EXPRESSION', `there is no group ${group}`);
  return group > pattern.groupCount() ? null : group;
}

export function extract(): ScalarBody {
  const patterns = new PatternCache();
  return ([pattern = null, value = null, wanted]) => {
    const compiled = patterns.get(pattern as string);
    const group = groupOf(compiled, wanted);
    if (group === null) return null;
    const matcher = compiled.matcher(value as string);
    return matcher.find() ? matcher.group(group) : null;
  };
}

export function extractAll(): ScalarBody {
  const patterns = new PatternCache();
  return ([pattern = null, value = null, wanted]) => {
    const compiled = patterns.get(pattern as string);
    const group = groupOf(compiled, wanted);
    if (group === null) return null;
    const matcher = compiled.matcher(value as string);
    const found: Value[] = [];
    while (matcher.find()) found.push(matcher.group(group));
    return found;
  };
}

export function replace(): ScalarBody {
  const patterns = new PatternCache();
  let known: { pattern: RE2JS; written: string; parts: Replacement } | null = null;
  return ([value = null, pattern = null, replacement = null]) => {
    const compiled = patterns.get(pattern as string);
    const written = replacement as string;
    // Parsed once, and only where there is something to replace: a faulty one is no fault elsewhere.
    const parts = (): Replacement => {
      if (known?.pattern !== compiled || known.written !== written)
        known = { pattern: compiled, written, parts: parseReplacement(written, compiled) };
      return known.parts;
    };
    return replaced(value as string, compiled, parts);
  };
}

function replaced(value: string, pattern: RE2JS, replacement: () => Replacement): string {
  const matcher = pattern.matcher(value);
  let result = '';
  let from = 0;
  while (matcher.find()) {
    result += value.slice(from, matcher.start());
    for (const part of replacement()) {
      result += typeof part === 'string' ? part : (matcher.group(part) ?? '');
      checkLength(result.length);
    }
    from = matcher.end();
  }
  return result + value.slice(from);
}

/** Matches at either end and next to each other leave empty parts, but a pattern that matches nothing leaves none at the end. */
export function split(): ScalarBody {
  const patterns = new PatternCache();
  return ([value = null, pattern = null]) => {
    const compiled = patterns.get(pattern as string);
    return compiled.matches('')
      ? splitAtGaps(value as string, compiled)
      : splitAtMatches(value as string, compiled);
  };
}

/** As java.util.regex.Pattern.split: no empty part before a match of nothing at the beginning, none at the end. */
function splitAtGaps(value: string, pattern: RE2JS): string[] {
  const matcher = pattern.matcher(value);
  const parts: string[] = [];
  let from = 0;
  while (matcher.find()) {
    if (matcher.end() === 0) continue;
    parts.push(value.slice(from, matcher.start()));
    from = matcher.end();
  }
  if (from === 0) return [value];
  parts.push(value.slice(from));
  while (parts.at(-1) === '') parts.pop();
  return parts;
}

/** A match of nothing, at the border of a word say, cuts too, but not at the ends of a part. */
function splitAtMatches(value: string, pattern: RE2JS): string[] {
  const matcher = pattern.matcher(value);
  const parts: string[] = [];
  let from = 0;
  let isCut = false;
  while (matcher.find()) {
    const start = matcher.start();
    const end = matcher.end();
    if (start === from && end === from) continue;
    parts.push(value.slice(from, start));
    from = end;
    isCut = start === end;
  }
  if (!isCut || from < value.length) parts.push(value.slice(from));
  return parts;
}
