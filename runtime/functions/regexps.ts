// The functions of regular expressions, whose bodies are fetched on first use; knows no other theme.

import { array, INTEGER, STRING, type Type } from '../data/type.ts';
import { of, parameter, text } from './declare.ts';
import type { Parameter, ScalarOverload } from './registry.ts';
import { REGEXP_BODIES } from './regexp-part.ts';
import type * as RegexpBodies from './regexp-bodies.ts';

function regexp(
  name: string,
  description: string,
  parameters: readonly Parameter[],
  returns: Type,
  make: keyof typeof RegexpBodies,
): ScalarOverload {
  return {
    kind: 'scalar',
    name,
    category: 'REGULAR EXPRESSION',
    description,
    parameters,
    returns: () => returns,
    nullPropagating: true,
    // Loaded when a statement is planned; where one is evaluated before, the rim fetches the part and repeats the call.
    load: () => REGEXP_BODIES.load().then((bodies) => bodies[make]),
    body: () => REGEXP_BODIES.code[make](),
  };
}

const group = parameter('group', of(INTEGER));
const EXTRACT_TEXT =
  'The first part of a text that a regular expression matches, or a group of it; null where none does.';
const EXTRACT_ALL_TEXT =
  'Every part of a text that a regular expression matches, or a group of each.';

export const REGEXPS: readonly ScalarOverload[] = [
  ...[[], [group]].flatMap((groups) => [
    regexp(
      'REGEXP_EXTRACT',
      EXTRACT_TEXT,
      [text('pattern'), text('value'), ...groups],
      STRING,
      'extract',
    ),
    regexp(
      'REGEXP_EXTRACT_ALL',
      EXTRACT_ALL_TEXT,
      [text('pattern'), text('value'), ...groups],
      array(STRING),
      'extractAll',
    ),
  ]),
  regexp(
    'REGEXP_REPLACE',
    'The text with every match of a regular expression replaced; $1 and ${name} stand for groups, a backslash makes them plain.',
    [text('value'), text('pattern'), text('replacement')],
    STRING,
    'replace',
  ),
  regexp(
    'REGEXP_SPLIT_TO_ARRAY',
    'The parts of a text between the matches of a regular expression; an empty one splits it into characters.',
    [text('value'), text('pattern')],
    array(STRING),
    'split',
  ),
];
