// The command `test`: the tests of SQL files, each on a fresh engine, and TAP lines of how they end; knows no command line.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8 } from '../runtime/base/bytes.ts';
import { messageOf, StatementError } from '../runtime/base/errors.ts';
import { loadParts } from '../runtime/engine/parts.ts';
import { loadWholeKernel } from '../runtime/engine/whole-kernel.ts';
import { type TestArguments, UsageError } from './arguments.ts';
import { AssertionFailure, SourceDiffers } from './assertions.ts';
import type { Terminal } from './run.ts';
import { isOfTests, readSqlCases, type SqlCase } from './sql-tests.ts';
import { StatementFailure, TestSession } from './test-session.ts';

/** Where and why a test failed. */
interface Fault {
  readonly at: string;
  readonly message: string;
}

/**
 * Runs the tests one after the other.
 * @returns the exit status: 1 when one of them fails
 * @throws {UsageError} for files that are not there or hold no test, and a filter that fits none
 */
export async function test(
  { paths, filter }: TestArguments,
  { out }: Terminal,
  kernel: WebAssembly.Module | null,
): Promise<number> {
  const tests = paths.flatMap(filesOf).flatMap((path) => testsOf(path));
  const chosen = tests.filter(({ title }) => filter === null || title.includes(filter));
  if (chosen.length === 0) {
    throw new UsageError(
      tests.length === 0 ? 'there is no --@test: in the files' : `no test is named '${filter}'`,
    );
  }
  // What is fetched on first use elsewhere lies on the same disk here.
  await loadParts();
  await loadWholeKernel();
  const say = (text: string) => out(encodeUtf8(`${text}\n`));
  await say(`TAP version 14\n1..${chosen.length}`);
  let failed = 0;
  for (const [index, one] of chosen.entries()) {
    const fault = await faultOf(one, kernel);
    if (fault !== null) failed += 1;
    const name = one.name.replaceAll(/[\\#]/g, '\\$&');
    await say(`${fault === null ? 'ok' : 'not ok'} ${index + 1} - ${name}`);
    // Texts of JSON are texts of YAML.
    if (fault !== null) {
      const { at, message } = fault;
      await say(`  ---\n  at: ${JSON.stringify(at)}\n  message: ${JSON.stringify(message)}\n  ...`);
    }
  }
  await say(`# ${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

interface Test extends SqlCase {
  readonly path: string;
}

function filesOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`there is no file ${path}`);
  if (!found.isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => join(path, file))
    .filter((file) => isOfTests(readFileSync(file, 'utf8')));
}

function testsOf(path: string): Test[] {
  try {
    const cases = readSqlCases(path, readFileSync(path, 'utf8'));
    return cases.map((one) => ({ ...one, path }));
  } catch (thrown) {
    throw new UsageError(messageOf(thrown), { cause: thrown });
  }
}

/** Null: the test ended as it should. */
async function faultOf(
  { path, sql, line, expected }: Test,
  kernel: WebAssembly.Module | null,
): Promise<Fault | null> {
  await using session = new TestSession(kernel);
  try {
    await session.run(path, sql);
  } catch (thrown) {
    if (!(thrown instanceof StatementFailure)) throw thrown;
    const { cause } = thrown;
    const at = `${thrown.path}:${placeOf(cause)?.line ?? thrown.line}`;
    const wanted = expected === null ? null : differenceOf(expected, cause);
    if (expected !== null && wanted === null) return null;
    return { at, message: `${wanted ?? ''}${saidBy(cause)}` };
  }
  if (expected === null) return null;
  return { at: `${path}:${line}`, message: `expected ${textOf(expected)}, got none` };
}

function placeOf(thrown: unknown): StatementError['position'] {
  return thrown instanceof StatementError ? thrown.position : null;
}

type Expected = NonNullable<SqlCase['expected']>;

function textOf({ type, message }: Expected): string {
  return `the error ${[type, message].filter((part) => part !== null).join(': ')}`;
}

/** How the error is not the expected one, as the beginning of a sentence; null: it is. */
function differenceOf(expected: Expected, thrown: unknown): string | null {
  const { type, message } = expected;
  const isType = type === null || classesOf(thrown).includes(type);
  const isMessage = message === null || messageOf(thrown).includes(message);
  return isType && isMessage ? null : `expected ${textOf(expected)}, got `;
}

/** The names by which --@expected.error may call an error: those of ksqlDB's classes, and the code. */
function classesOf(thrown: unknown): readonly string[] {
  if (thrown instanceof AssertionFailure) return ['AssertionError'];
  if (thrown instanceof SourceDiffers) return ['KsqlException'];
  if (!(thrown instanceof StatementError)) return [];
  const { code } = thrown;
  const parse = code === 'SYNTAX' ? ['ParseFailedException'] : [];
  return [code, 'KsqlException', 'KsqlStatementException', ...parse];
}

function saidBy(thrown: unknown): string {
  if (!(thrown instanceof StatementError)) return messageOf(thrown);
  const { code, message, hint } = thrown;
  return [`${code}: ${message}`, hint === '' ? '' : `(${hint})`]
    .filter((part) => part !== '')
    .join(' ');
}
