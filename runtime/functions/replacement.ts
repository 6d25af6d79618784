// The replacement of REGEXP_REPLACE as Java writes it: groups as $1 or ${name}, a backslash before what is plain; knows no text.

import type { RE2JS } from 're2js';
import type { RecordError } from '../base/errors.ts';
import { refused } from './refused.ts';

/** Texts, and the numbers of groups whose matches stand between them. */
export type Replacement = readonly (string | number)[];

const PART = /\\([\s\S])|\$(?:\{([A-Za-z][A-Za-z0-9]*)\}|(\d))|[^\\$]+/uy;

/** @throws {RecordError} EXPRESSION for an unfinished escape, a lone `$`, or a group that the pattern does not have */
export function parseReplacement(written: string, pattern: RE2JS): Replacement {
  const parts: (string | number)[] = [];
  const groups = pattern.groupCount();
  let at = 0;
  while (at < written.length) {
    PART.lastIndex = at;
    const match = PART.exec(written);
    if (match === null) throw unusable(written, `'${written.charAt(at)}' stands alone`);
    const [whole, escaped, name, digit] = match;
    at += whole.length;
    if (name !== undefined) parts.push(named(name, written, pattern));
    else if (digit !== undefined) {
      let group = Number(digit);
      if (group > groups) throw unusable(written, `the pattern has no group ${group}`);
      // As many digits as make the number of a group.
      for (;;) {
        const next = written.charAt(at);
        const longer = group * 10 + Number(next);
        if (!/^\d$/u.test(next) || longer > groups) break;
        group = longer;
        at++;
      }
      parts.push(group);
    } else parts.push(escaped ?? whole);
  }
  return parts;
}

function named(name: string, written: string, pattern: RE2JS): number {
  const found = Object.entries(pattern.namedGroups()).find(([each]) => each === name);
  if (found === undefined) throw unusable(written, `the pattern has no group '${name}'`);
  return found[1];
}

function unusable(written: string, why: string): RecordError {
  return refused(
    written,
    `cannot be a replacement: ${why} (a group is $1 or \${name}, a dollar sign itself \\$)`,
  );
}
