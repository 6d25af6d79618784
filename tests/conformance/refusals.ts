// Judges a refused statement: as the case wants it, or for want of something that millrace does not have yet; knows no engine.

import type { StatementError } from '../../runtime/base/errors.ts';
import type { ExpectedError } from './case.ts';
import type { Outcome } from './run-case.ts';

/** What a case that calls an unknown function on purpose expects to read, and one that gives a known one wrong arguments. */
const ABOUT_NAMES = /find any functions/i;
const ABOUT_ARGUMENTS = /does not accept parameters|ambiguous method parameters/i;

/** The outcome of a case whose script was refused with `error`. */
export function refusalOutcome(error: StatementError, expected: ExpectedError | null): Outcome {
  const lack = lackOf(error, expected);
  if (lack !== null) return { kind: 'unsupported', reason: lack };
  const said = `${error.code} ${error.message}`;
  if (expected === null) return { kind: 'failed', why: said };
  if (expected.type === 'ParseFailedException' && error.code !== 'SYNTAX') {
    return { kind: 'failed', why: `expected an error of syntax, got ${said}` };
  }
  return { kind: 'passed' };
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
