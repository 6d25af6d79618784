// The command `millrace migrate`: a folder of numbered SQL files, applied to an edge once each and in order; knows no statement.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8 } from '../runtime/base/bytes.ts';
import { messageOf, StatementError } from '../runtime/base/errors.ts';
import { DELIVERY_MS_MAX } from '../runtime/base/limits.ts';
import { connect, type ConnectOptions, type MigrationStatus } from '../runtime/client/index.ts';
import { type MigrateArguments, UsageError } from './arguments.ts';
import { statementProblem } from './problems.ts';
import type { Terminal } from './run.ts';

interface MigrationFile {
  readonly name: string;
  readonly version: number;
  readonly sql: string;
  readonly sha256: string;
}

/** A number, then `_` or `-`, as ksqlDB's `V000001__create_orders.sql`. */
const NUMBERED = /^V?0*(\d{1,9})[_-]+[\w.-]+\.sql$/;

/**
 * Applies what is not applied yet. Before anything is applied, the edge's set is held against the files.
 * @param token of the edge; null: none is sent
 * @returns the exit status
 * @throws {UsageError} when the files are not what they should be
 */
export async function migrate(
  { url, folder, dryRun }: MigrateArguments,
  { out, problem }: Terminal,
  token: string | null,
): Promise<number> {
  const files = filesOf(folder);
  const { migrations } = connect({
    url,
    token: token ?? undefined,
    fetch: tellingFetch(url, problem),
  });
  const known = await migrations.list();
  const faults = known.flatMap((one) => faultOf(one, files));
  if (faults.length > 0) {
    for (const fault of faults) problem(`millrace: ${fault}`);
    return 1;
  }
  const isApplied = ({ name }: MigrationFile): boolean =>
    known.some((one) => one.name === name && one.state === 'MIGRATED');
  const waiting = files.filter((file) => !isApplied(file));
  for (const { name, version, sql } of waiting) {
    if (dryRun) {
      await out(encodeUtf8(`${name} would be applied\n`));
      continue;
    }
    try {
      const { applied } = await migrations.apply({ name, version, sql });
      await out(encodeUtf8(`${name} ${applied ? 'applied' : 'was applied meanwhile'}\n`));
    } catch (thrown) {
      if (!(thrown instanceof StatementError)) throw thrown;
      problem(statementProblem(join(folder, name), sql, thrown));
      return 1;
    }
  }
  if (waiting.length === 0) await out(encodeUtf8('nothing to apply\n'));
  return 0;
}

/** As `fetch`, and tells of the first request that brings nothing: such are made again for long, before a terminal that would be silent. */
function tellingFetch(
  url: string,
  problem: Terminal['problem'],
): NonNullable<ConnectOptions['fetch']> {
  let isTold = false;
  const tell = (why: string): void => {
    if (isTold) return;
    isTold = true;
    problem(`millrace: no answer from ${url} (${why}); trying for ${DELIVERY_MS_MAX / 1000} s`);
  };
  return async (to, init) => {
    try {
      const response = await fetch(to, init);
      if (response.status >= 500) tell(`status ${response.status}`);
      return response;
    } catch (thrown) {
      tell(reasonOf(thrown));
      throw thrown;
    }
  };
}

/** Node says why a request failed in the cause, and where it tried several addresses by a code alone. */
function reasonOf(thrown: unknown): string {
  const { cause } = thrown as { readonly cause?: NodeJS.ErrnoException | undefined };
  return cause === undefined ? messageOf(thrown) : cause.message || String(cause.code);
}

function filesOf(folder: string): MigrationFile[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .map((name): MigrationFile => {
      const [, digits] = NUMBERED.exec(name) ?? [];
      if (digits === undefined || Number(digits) === 0) {
        throw new UsageError(`'${name}' has no number: name files as V000001__what_it_does.sql`);
      }
      const bytes = readFileSync(join(folder, name));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { name, version: Number(digits), sql: bytes.toString('utf8'), sha256 };
    })
    .sort((a, b) => a.version - b.version);
  files.forEach(({ name, version }, i) => {
    const next = files[i + 1];
    if (next?.version !== version) return;
    throw new UsageError(`'${name}' and '${next.name}' have the same number`);
  });
  return files;
}

/** What is wrong with a migration that the edge knows, or nothing. */
function faultOf(known: MigrationStatus, files: readonly MigrationFile[]): string[] {
  const { name, version, sha256, state } = known;
  if (version === null) return []; // The edge's code brought it along.
  const file = files.find((one) => one.name === name);
  if (file === undefined) return [`${name} is applied, and its file is missing`];
  if (state === 'MIGRATED' && file.sha256 !== sha256) {
    return [`${name} has changed since it was applied; write another migration instead`];
  }
  return [];
}
