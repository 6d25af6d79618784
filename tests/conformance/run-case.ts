// Runs one case: statements, queries over the inputs, and what came out against what should have; knows no file.

import { LimitError, RecordError, type StatementError } from '../../runtime/base/errors.ts';
import type { Catalog } from '../../runtime/catalog/catalog.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import type { Case } from './case.ts';
import type { CaseHost } from './host.ts';
import { Driver } from './driver.ts';
import { type Order, outputDifference } from './outputs.ts';
import { onePartitionReason } from './partitions.ts';
import { topicsDifference } from './post-topics.ts';
import { inputRecord, insertedRecord, type TopicRecord } from './records.ts';
import { refusalOutcome } from './refusals.ts';
import { REGISTRY, Refusal, runScript, type Script, sourceOver } from './script.ts';
import { sourceDifference } from './sources.ts';

/**
 * `normal`: inputs come in batches as large as can be; `cut`: in random ones; `restart`: one by one, with a restart after each;
 * `backlog`: in random ones, and all are there before the query begins.
 */
export type Mode = 'normal' | 'cut' | 'restart' | 'backlog';

export interface RunOptions {
  readonly mode: Mode;
  /** As the property `millrace.path`. */
  readonly path: 'auto' | 'row' | 'kernel';
  /** As the property `millrace.fuse`. */
  readonly fuse: 'auto' | 'never';
  /** Numbers in [0, 1) for `cut` and `backlog`. */
  readonly random: () => number;
  readonly kernel: WebAssembly.Module | null;
  /** Where the queries run; null or absent: each by itself, in a driver. */
  readonly host?: CaseHost | null | undefined;
  /** true: where a case has no outputs nothing comes out; ksqlDB's runner looks at no topic then. */
  readonly isSilent?: boolean | undefined;
  /** How outputs are compared; absent: `keys` where there are several partitions. */
  readonly order?: Order | undefined;
  /** Of every topic; absent: 1. With more, inputs come one by one and what is of one key is compared in its order. */
  readonly partitions?: number | undefined;
}

type PlanOptions = Pick<RunOptions, 'path' | 'fuse' | 'partitions'>;

export type Outcome =
  | {
      readonly kind: 'passed';
      /** What a refusal said that was expected for something else. */
      readonly otherwise?: string;
    }
  | { readonly kind: 'failed'; readonly why: string }
  /** `reason`: why it says nothing in this mode. */
  | { readonly kind: 'leftOut'; readonly reason: string }
  /** `reason`: what millrace lacks for it. */
  | { readonly kind: 'unsupported'; readonly reason: string };

const PASSED: Outcome = { kind: 'passed' };

/** Never throws: what goes wrong is the outcome. */
export async function runCase(of: Case, options: RunOptions): Promise<Outcome> {
  let script: Script;
  try {
    script = planned(of, options);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) return crashed(thrown);
    return refused(of, thrown);
  }
  const { partitions = 1 } = options;
  const reason = partitions === 1 ? null : onePartitionReason(of, script.plans);
  if (reason !== null) return { kind: 'leftOut', reason };
  try {
    const why = await execute(of, script, options);
    if (of.expectedError !== null && why === null) return failed('nothing was refused');
    return why === null ? PASSED : failed(why);
  } catch (thrown) {
    return of.expectedError !== null && endsQueries(thrown) ? PASSED : crashed(thrown);
  }
}

/** What cases were planned to, by their properties: a case runs in many ways, and planning it takes as long as running it. */
const scripts = new WeakMap<Case, Map<string, Script>>();

/** @throws {Refusal} what a statement is refused for */
export function planned(of: Case, { path, fuse, partitions }: PlanOptions): Script {
  const properties = new Map([
    ['millrace.path', path],
    ['millrace.fuse', partitions === undefined ? fuse : 'never'],
  ]);
  const known = scripts.get(of) ?? new Map<string, Script>();
  scripts.set(of, known);
  const way = [...properties.values()].join();
  const script = known.get(way) ?? runScript(of, properties);
  known.set(way, script);
  return script;
}

/** The plans of the case's queries as text, alike where they run alike; null where a statement is refused. */
export function plansText(of: Case, options: PlanOptions): string | null {
  try {
    return JSON.stringify(planned(of, options).plans);
  } catch (thrown) {
    if (thrown instanceof Refusal) return null;
    throw thrown;
  }
}

/** What ends a query by a rule; all else is a fault of ours. */
function endsQueries(thrown: unknown): boolean {
  return thrown instanceof LimitError || thrown instanceof RecordError;
}

function failed(why: string): Outcome {
  return { kind: 'failed', why };
}

function crashed(thrown: unknown): Outcome {
  return failed(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
}

function refused(of: Case, { error, isLast }: Refusal): Outcome {
  const outcome = refusalOutcome(error, of.expectedError);
  if (outcome.kind === 'passed' && !isLast) return failed(`refused too early: ${saying(error)}`);
  return outcome;
}

function saying(error: StatementError): string {
  return `${error.code} ${error.message}`;
}

/** @returns what is wrong, or null */
async function execute(of: Case, script: Script, options: RunOptions): Promise<string | null> {
  const { catalog, plans } = script;
  if (plans.length === 0 && of.expectedError === null) return 'no query runs';
  const topics = new Topics();
  for (const inserted of script.inserted) {
    topics.append(inserted.source.topic, [insertedRecord(inserted)]);
  }
  const inputs = of.inputs.map((record) => ({
    topic: record.topic,
    record: inputRecord(record, sourceOver(catalog, record.topic)),
  }));
  for (const { topic, record } of inputs) topics.append(topic, [record]);
  const sinks: string[] = [];
  for (const plan of plans) {
    const sink = await runQuery(plan, inputs, topics, options);
    if (sink !== null) sinks.push(sink);
  }
  const written = {
    records: (topic: string) => topics.records(topic),
    source: (topic: string) => sourceOver(catalog, topic),
    silent: options.isSilent === true ? sinks : [],
  };
  const { order = options.partitions === undefined ? 'whole' : 'keys' } = options;
  return (
    outputDifference(of, written, order) ??
    sourcesDifference(of, catalog) ??
    topicsDifference(of, catalog, plans)
  );
}

interface Input {
  readonly topic: string;
  readonly record: TopicRecord;
}

/** The records of every topic so far. */
class Topics {
  readonly #records = new Map<string, TopicRecord[]>();

  records(topic: string): readonly TopicRecord[] {
    return this.#records.get(topic) ?? [];
  }

  append(topic: string, records: readonly TopicRecord[]): void {
    this.#records.set(topic, [...this.records(topic), ...records]);
  }
}

/**
 * Topics with inputs of the case come first and whole; then topics that hold only what earlier queries wrote.
 * @returns the topic that it writes
 */
async function runQuery(
  plan: Plan,
  inputs: readonly Input[],
  topics: Topics,
  options: RunOptions,
): Promise<string | null> {
  const driver = await Driver.open(plan, REGISTRY, options.kernel, options.partitions);
  const isOneByOne = driver.goesRound || (options.partitions ?? 1) > 1;
  const settle = async (): Promise<void> => {
    const made = await driver.settle();
    if (driver.sink !== null) topics.append(driver.sink, made);
  };
  try {
    const sources = new Set(driver.sources);
    const given = new Set(inputs.map(({ topic }) => topic));
    const waiting = [...sources]
      .filter((topic) => !given.has(topic))
      .flatMap((topic) => topics.records(topic).map((record) => ({ topic, record })));
    for (const from of [inputs.filter(({ topic }) => sources.has(topic)), waiting]) {
      for (const { topic, records } of batchesOf(from, options, isOneByOne)) {
        await driver.append(topic, records);
        if (options.mode !== 'backlog') await settle();
        if (options.mode === 'restart') await driver.restart();
      }
      if (options.mode === 'backlog') await settle();
    }
    return driver.sink;
  } finally {
    await driver.close();
  }
}

/** Neighbours of one topic together, as far as the mode and the query let them: ksqlDB's driver takes each input to its end before the next. */
function batchesOf(
  inputs: readonly Input[],
  { mode, random }: RunOptions,
  isOneByOne: boolean,
): { topic: string; records: TopicRecord[] }[] {
  const batches: { topic: string; records: TopicRecord[] }[] = [];
  for (const { topic, record } of inputs) {
    const last = batches.at(-1);
    const goesOn = !isOneByOne && (mode === 'normal' || (mode !== 'restart' && random() < 0.5));
    if (last?.topic === topic && goesOn) last.records.push(record);
    else batches.push({ topic, records: [record] });
  }
  return batches;
}

function sourcesDifference(of: Case, catalog: Catalog): string | null {
  for (const expected of of.sources) {
    const different = sourceDifference(expected, catalog);
    if (different !== null) return different;
  }
  return null;
}
