// Runs one case of an SQL test and judges how it ends; knows no file.

import { StatementError } from '../../runtime/base/errors.ts';
import { parseScript } from '../../runtime/sql/parser.ts';
import { AssertionFailure, SourceDiffers } from '../../cli/assertions.ts';
import { Live } from './live.ts';
import { refusalOutcome } from './refusals.ts';
import type { Outcome, RunOptions } from './run-case.ts';
import type { SqlCase } from '../../cli/sql-tests.ts';

/** Never throws: what goes wrong is the outcome. */
export async function runSqlCase(of: SqlCase, options: RunOptions): Promise<Outcome> {
  const thrown = await errorOf(of.sql, options);
  const { expected } = of;
  if (thrown === null) {
    return expected === null ? { kind: 'passed' } : failed('nothing was refused');
  }
  if (thrown instanceof StatementError) {
    if (expected?.type === 'AssertionError') return failed(said(thrown));
    return refusalOutcome(thrown, expected);
  }
  const type =
    thrown instanceof AssertionFailure
      ? 'AssertionError'
      : thrown instanceof SourceDiffers
        ? 'KsqlException'
        : null;
  return type !== null && expected?.type === type ? { kind: 'passed' } : failed(said(thrown));
}

/** What the first statement that fails throws; null when none does. */
async function errorOf(sql: string, options: RunOptions): Promise<unknown> {
  await using live = new Live({
    properties: new Map([
      ['millrace.path', options.path],
      ['millrace.fuse', options.fuse],
    ]),
    kernel: options.kernel,
    restarts: options.mode === 'restart',
  });
  const { statements, errors } = parseScript(sql);
  const [error] = errors;
  const line = error?.position?.line ?? Infinity;
  try {
    for (const statement of statements) if (statement.at.line < line) await live.run(statement);
    return error ?? null;
  } catch (thrown) {
    return thrown ?? new TypeError('nothing was thrown');
  }
}

function failed(why: string): Outcome {
  return { kind: 'failed', why };
}

function said(thrown: unknown): string {
  if (thrown instanceof StatementError) return `${thrown.code} ${thrown.message}`;
  if (thrown instanceof AssertionFailure || thrown instanceof SourceDiffers) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
