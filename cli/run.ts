// The command `run`: an SQL text, its inputs and its outputs on an engine in memory or over a file; knows no command line.

import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { encodeUtf8 } from '../runtime/base/bytes.ts';
import { messageOf, StatementError } from '../runtime/base/errors.ts';
import type { Catalog } from '../runtime/catalog/catalog.ts';
import type { Source } from '../runtime/catalog/source.ts';
import { CATALOG_TOPIC } from '../runtime/engine/catalog-topic.ts';
import { type Engine, openEngine } from '../runtime/engine/engine.ts';
import { loadParts } from '../runtime/engine/parts.ts';
import { loadWholeKernel } from '../runtime/engine/whole-kernel.ts';
import type { QueryRows } from '../runtime/engine/query-rows.ts';
import { memoryHost } from '../runtime/memory/memory-host.ts';
import { systemClock } from '../runtime/memory/system-clock.ts';
import type { Host } from '../runtime/ports/host.ts';
import type { Log } from '../runtime/ports/log.ts';
import type { Statement } from '../runtime/sql/ast.ts';
import { sqliteHost } from '../runtime/sqlite/sqlite-host.ts';
import { threads } from '../runtime/threads/threads.ts';
import { DEAD_LETTERS_TOPIC, PROCESSING_LOG_TOPIC } from '../runtime/task/task-topics.ts';
import { type RunArguments, UsageError } from './arguments.ts';
import { feed, type Fed, fedSource } from './feed.ts';
import { statementProblem } from './problems.ts';
import { ResultLines } from './result-lines.ts';
import { ScriptError, startScript, type Subscription } from './script.ts';
import { report, statsText } from './statistics.ts';
import { TopicChanges } from './topic-changes.ts';

/** Statements whose answer is printed. */
const ASKING: ReadonlySet<Statement['kind']> = new Set([
  'Show',
  'Describe',
  'DescribeStreams',
  'DescribeFunction',
  'Explain',
]);

/** Topics that are not fed by lines nor made by queries. */
const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  CATALOG_TOPIC,
  PROCESSING_LOG_TOPIC,
  DEAD_LETTERS_TOPIC,
]);

/** Where a command writes. */
export interface Terminal {
  /** Result lines; resolves when more may come. */
  readonly out: (bytes: Uint8Array) => Promise<void>;
  /** One problem, without the end of its line. */
  readonly problem: (message: string) => void;
}

/**
 * Runs to the end of the inputs.
 * @returns the exit status
 * @throws {UsageError} for files and names that are not there
 */
export async function run(
  given: RunArguments,
  terminal: Terminal,
  kernel: WebAssembly.Module | null,
): Promise<number> {
  const sql = readText(given.app);
  for (const { path } of given.inputs) checkReadable(path);
  if (given.stats !== null) checkWritable(given.stats);
  // What is fetched on first use elsewhere lies on the same disk here.
  await loadParts();
  await loadWholeKernel();
  const host = await hostOf(given, kernel);
  // Before any query goes on.
  const ends = await endsOf(host.log);
  await using engine = await engineOn(host, given.workers);
  try {
    return await runOn({ engine, log: host.log, ends }, sql, given, terminal);
  } catch (thrown) {
    if (!(thrown instanceof ScriptError)) throw thrown;
    for (const error of thrown.errors) {
      terminal.problem(statementProblem(given.app, sql, error));
    }
    return 1;
  }
}

async function hostOf(
  { database: file }: RunArguments,
  kernel: WebAssembly.Module | null,
): Promise<Host> {
  if (file === null) return memoryHost({ kernel });
  return await sqliteHost({ file, clock: systemClock, kernel, commitIntervalMs: 0 });
}

async function engineOn(host: Host, workers: number): Promise<Engine> {
  const properties = { 'auto.offset.reset': 'earliest' };
  try {
    return await openEngine({ host: { ...host, workers: threads }, workers, properties });
  } catch (thrown) {
    await host.close();
    throw thrown;
  }
}

/** Where the partitions of each topic end, by the topic's incarnation: one that is dropped and created again begins anew. */
type Ends = ReadonlyMap<string, readonly number[]>;

async function endsOf(log: Log): Promise<Ends> {
  const ends = new Map<string, number[]>();
  for (const { name, partitions, incarnation } of await log.list()) {
    const all = Array.from({ length: partitions }, (_, partition) =>
      log.bounds({ topic: name, partition }),
    );
    ends.set(
      incarnation,
      (await Promise.all(all)).map(({ highWatermark }) => highWatermark),
    );
  }
  return ends;
}

interface Running {
  readonly engine: Engine;
  readonly log: Log;
  /** Before this run. */
  readonly ends: Ends;
}

async function runOn(
  { engine, log, ends }: Running,
  sql: string,
  given: RunArguments,
  terminal: Terminal,
): Promise<number> {
  const { out, problem } = terminal;
  const answers: Uint8Array[] = [];
  const { subscriptions, questions } = await startScript(engine, sql, (entity, statement) => {
    for (const { message } of entity.warnings) {
      problem(`${given.app}:${statement.at.line}: warning: ${message}`);
    }
    if (ASKING.has(statement.kind)) answers.push(encodeUtf8(`${JSON.stringify(entity)}\n`));
  });
  for (const answer of answers) await out(answer);
  const inputs = given.inputs.map((input) => ({ input, source: fedSource(engine, input) }));
  const changes: TopicChanges[] = [];
  for (const source of outputsOf(engine.catalog, given.outputs)) {
    const topic = await log.describe(source.topic);
    changes.push(new TopicChanges(source, problem, ends.get(topic?.incarnation ?? '')));
  }
  const printing = subscriptions.map((one) => printSubscription(one, terminal));
  const settle = async (): Promise<void> => {
    await caughtUp(engine);
    await Promise.all(subscriptions.map(({ rows }) => rows.idle()));
    for (const one of changes) for await (const lines of one.read(log)) await out(lines);
    if (given.database === null) await forget(log);
  };
  await settle();
  const fed = new Map<string, Fed>();
  for (const { input, source } of inputs) {
    const counts = fed.get(input.topic) ?? { in: 0, skipped: 0 };
    fed.set(input.topic, counts);
    await feed(input, source, counts, { engine, onFed: settle, onProblem: problem });
  }
  await Promise.all(subscriptions.map(({ rows }) => rows.close()));
  const isPrinted = (await Promise.all(printing)).every((ended) => ended);
  for (const { id, sql: text } of questions) await printRows(id, await asked(engine, text), out);
  if (given.stats !== null) writeFileSync(given.stats, statsText(await engine.stats(), fed));
  return report(engine, await engine.stats(), fed, problem) && isPrinted ? 0 : 1;
}

/** A query that has ended is told with the statistics; the others have gone on. */
async function caughtUp(engine: Engine): Promise<void> {
  try {
    await engine.idle();
  } catch (thrown) {
    const ids = [...engine.catalog.queries.keys()];
    if (!ids.some((id) => engine.errorOf(id) === thrown)) throw thrown;
  }
}

/** @throws {ScriptError} */
async function asked(engine: Engine, sql: string): Promise<QueryRows> {
  try {
    return await engine.query(sql);
  } catch (thrown) {
    if (thrown instanceof StatementError) throw new ScriptError([thrown]);
    throw thrown;
  }
}

/** Never throws: it goes on beside everything else. @returns false when the query has failed */
async function printSubscription(
  { id, rows }: Subscription,
  { out, problem }: Terminal,
): Promise<boolean> {
  try {
    await printRows(id, rows, out);
    return true;
  } catch (thrown) {
    problem(`millrace: ${id} ended: ${messageOf(thrown)}`);
    return false;
  }
}

async function printRows(id: string, rows: QueryRows, out: Terminal['out']): Promise<void> {
  const lines = new ResultLines(id, rows.schema);
  for await (const batch of rows.batches()) await out(lines.lines(batch));
}

/** What is printed: the named sources, or all that persistent queries write. @throws {UsageError} */
function outputsOf(catalog: Catalog, names: readonly string[]): readonly Source[] {
  const sources = [...catalog.sources.values()];
  if (names.length === 0) {
    const written = new Set([...catalog.queries.values()].map(({ writes }) => writes));
    return sources.filter(({ name }) => written.has(name));
  }
  return names.map((name) => {
    const found =
      catalog.sources.get(name) ??
      catalog.sources.get(name.toUpperCase()) ??
      sources.find(({ topic }) => topic === name);
    if (found === undefined) {
      throw new UsageError(`--output: there is no stream, table or topic '${name}'`);
    }
    return found;
  });
}

/** Lets go what every query has read and what was printed, so that memory is bounded whatever the length of the input. */
async function forget(log: Log): Promise<void> {
  for (const { name, partitions } of await log.list()) {
    if (SYSTEM_TOPICS.has(name)) continue;
    for (let partition = 0; partition < partitions; partition++) {
      const at = { topic: name, partition };
      await log.trim(at, (await log.bounds(at)).highWatermark);
    }
  }
}

function readText(path: string): string {
  checkReadable(path);
  return readFileSync(path, 'utf8');
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (thrown) {
    const isThere = existsSync(path);
    const why = isThere ? `${path} may not be read` : `there is no file ${path}`;
    throw new UsageError(why, { cause: thrown });
  }
  if (statSync(path).isDirectory()) throw new UsageError(`${path} is a folder`);
}

/** Before anything is run, so that no run is in vain. */
function checkWritable(path: string): void {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (thrown) {
    throw new UsageError(`cannot write ${path}`, { cause: thrown });
  }
}
