// Judges a refused statement: as the case wants it, or for want of something that millrace does not have yet; knows no engine.

import type { StatementError } from '../../runtime/base/errors.ts';
import type { ExpectedError } from './case.ts';
import type { Outcome } from './run-case.ts';

/** What a case that calls an unknown function on purpose expects to read. */
const ABOUT_FUNCTIONS = /function/i;

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
  if (expected !== null && ABOUT_FUNCTIONS.test(expected.message ?? '')) return null;
  const unknown = /^there is no function (\S+)$/.exec(said)?.[1];
  if (unknown !== undefined) return `function ${unknown}`;
  // A call that the function refuses is what such a case may be about.
  return expected === null ? said.replace(' does not take ', '') : null;
}
