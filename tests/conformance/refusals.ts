// Judges a refused statement: as the case wants it, or for want of something that millrace does not have yet; knows no engine.

import type { StatementCode, StatementError } from '../../runtime/base/errors.ts';
import type { ExpectedError } from './case.ts';
import type { Outcome } from './run-case.ts';

/** What a case that calls an unknown function on purpose expects to read, and one that gives a known one wrong arguments. */
const ABOUT_NAMES = /find any functions/i;
const ABOUT_ARGUMENTS = /does not accept parameters|ambiguous method parameters/i;

/**
 * What an expected message is about, as codes of ours; the first that fits counts. Messages are each side's own: more than what they are
 * about cannot be compared. What fits none is about a rule of the language.
 */
const ABOUT: readonly (readonly [message: RegExp, codes: readonly StatementCode[]])[] = [
  [/syntax error/i, ['SYNTAX']],
  [ABOUT_NAMES, ['UNKNOWN_FUNCTION']],
  [ABOUT_ARGUMENTS, ['UNKNOWN_FUNCTION', 'TYPE_MISMATCH']],
  [
    /cannot compare|operator does not|invalid input|cast of|types don't|type error|null type|all null|invalid type/i,
    ['TYPE_MISMATCH'],
  ],
  [/cannot be resolved|unknown column|does not exist in the schema/i, ['UNKNOWN_COLUMN']],
  [/not a valid stream|unknown stream|does not exist/i, ['UNKNOWN_SOURCE']],
  [/already exists/i, ['ALREADY_EXISTS', 'INVALID']],
  [/from this source|into this source/i, ['IN_USE']],
];

const ABOUT_RULES: readonly StatementCode[] = ['INVALID', 'TYPE_MISMATCH', 'LIMIT'];

/** The outcome of a case whose script was refused with `error`. */
export function refusalOutcome(error: StatementError, expected: ExpectedError | null): Outcome {
  const lack = lackOf(error, expected);
  if (lack !== null) return { kind: 'unsupported', reason: lack };
  const said = `${error.code} ${error.message}`;
  if (expected === null) return { kind: 'failed', why: said };
  if (expected.type === 'ParseFailedException' && error.code !== 'SYNTAX') {
    return { kind: 'failed', why: `expected an error of syntax, got ${said}` };
  }
  if (isAbout(error.code, expected)) return { kind: 'passed' };
  return { kind: 'passed', otherwise: `got ${said}, expected ${expected.message ?? ''}` };
}

/** An error of syntax is one whatever its message says. */
function isAbout(code: StatementCode, { type, message }: ExpectedError): boolean {
  if (type === 'ParseFailedException' || message === null) return true;
  const codes = ABOUT.find(([about]) => about.test(message))?.[1] ?? ABOUT_RULES;
  return codes.includes(code);
}

/** What millrace lacks, in a few words; null when the refusal is no lack. */
function lackOf(error: StatementError, expected: ExpectedError | null): string | null {
  const said = error.message.replace(/^line \d+:\d+: /, '');
  if (error.code === 'UNSUPPORTED') return said.replace(/ (is|are) not supported yet.*$/, '');
  if (error.code !== 'UNKNOWN_FUNCTION') return null;
  const unknown = /^there is no function (\S+)$/.exec(said)?.[1];
  const about = unknown === undefined ? ABOUT_ARGUMENTS : ABOUT_NAMES;
  if (about.test(expected?.message ?? '')) return null;
  return unknown === undefined ? said.replace(' does not take ', '') : `function ${unknown}`;
}
