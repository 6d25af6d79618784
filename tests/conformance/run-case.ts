// Runs one case: statements, queries over the inputs, and what came out against what should have; knows no file.

import { PortError, type StatementError } from '../../runtime/base/errors.ts';
import type { Catalog } from '../../runtime/catalog/catalog.ts';
import type { Source } from '../../runtime/catalog/source.ts';
import type { Plan } from '../../runtime/plan/step.ts';
import { decodeBase64 } from '../../runtime/base/base64.ts';
import { bytesEqual } from '../../runtime/base/bytes.ts';
import type { Case, CaseRecord } from './case.ts';
import { Driver } from './driver.ts';
import { refusalOutcome } from './refusals.ts';
import {
  difference,
  inputRecord,
  insertedRecord,
  readRecord,
  type TopicRecord,
} from './records.ts';
import { REGISTRY, Refusal, runScript, type Script } from './script.ts';
import { sourceDifference } from './sources.ts';

/** `normal`: inputs come in batches as large as can be; `cut`: in random ones; `restart`: one by one, with a restart after each. */
export type Mode = 'normal' | 'cut' | 'restart';

export interface RunOptions {
  readonly mode: Mode;
  /** As the property `millrace.path`. */
  readonly path: 'auto' | 'row' | 'kernel';
  /** As the property `millrace.fuse`. */
  readonly fuse: 'auto' | 'never';
  /** Numbers in [0, 1) for `cut`. */
  readonly random: () => number;
  readonly kernel: WebAssembly.Module | null;
}

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly why: string }
  /** `reason`: what millrace lacks for it. */
  | { readonly kind: 'unsupported'; readonly reason: string };

const PASSED: Outcome = { kind: 'passed' };

/** Never throws: what goes wrong is the outcome. */
export async function runCase(of: Case, options: RunOptions): Promise<Outcome> {
  let script: Script;
  try {
    const properties = new Map([
      ['millrace.path', options.path],
      ['millrace.fuse', options.fuse],
    ]);
    script = runScript(of, properties);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) return crashed(thrown);
    return refused(of, thrown);
  }
  try {
    const why = await execute(of, script, options);
    if (of.expectedError !== null && why === null) return failed('nothing was refused');
    return why === null ? PASSED : failed(why);
  } catch (thrown) {
    return of.expectedError !== null && of.inputs.length > 0 ? PASSED : crashed(thrown);
  }
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
    record: inputRecord(record, sourceOf(catalog, record.topic)),
  }));
  for (const { topic, record } of inputs) topics.append(topic, [record]);
  for (const plan of plans) await runQuery(plan, inputs, topics, options);
  return outputDifference(of, catalog, topics) ?? sourcesDifference(of, catalog);
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

/** Topics with inputs of the case come first and whole; then topics that hold only what earlier queries wrote. */
async function runQuery(
  plan: Plan,
  inputs: readonly Input[],
  topics: Topics,
  options: RunOptions,
): Promise<void> {
  const driver = await Driver.open(plan, REGISTRY, options.kernel);
  try {
    const sources = new Set(driver.sources);
    const given = new Set(inputs.map(({ topic }) => topic));
    const waiting = [...sources]
      .filter((topic) => !given.has(topic))
      .flatMap((topic) => topics.records(topic).map((record) => ({ topic, record })));
    for (const from of [inputs.filter(({ topic }) => sources.has(topic)), waiting]) {
      for (const { topic, records } of batchesOf(from, options, driver.goesRound)) {
        const made = await driver.pipe(topic, records);
        if (driver.sink !== null) topics.append(driver.sink, made);
        if (options.mode === 'restart') await driver.restart();
      }
    }
  } finally {
    await driver.close();
  }
}

/** Neighbours of one topic together, as far as the mode and the query let them: ksqlDB's driver takes each input to its end before the next. */
function batchesOf(
  inputs: readonly Input[],
  { mode, random }: RunOptions,
  goesRound: boolean,
): { topic: string; records: TopicRecord[] }[] {
  const batches: { topic: string; records: TopicRecord[] }[] = [];
  for (const { topic, record } of inputs) {
    const last = batches.at(-1);
    const goesOn = !goesRound && (mode === 'normal' || (mode === 'cut' && random() < 0.5));
    if (last?.topic === topic && goesOn) last.records.push(record);
    else batches.push({ topic, records: [record] });
  }
  return batches;
}

function sourceOf(catalog: Catalog, topic: string): Source {
  for (const source of catalog.sources.values()) if (source.topic === topic) return source;
  throw new PortError('UNKNOWN_TOPIC', `no stream or table is over the topic ${topic}`);
}

/** Only topics that outputs name are looked at, each for itself. */
function outputDifference(of: Case, catalog: Catalog, topics: Topics): string | null {
  const exact = of.properties.get('use.exact.numeric.comparison') !== 'false';
  const inputsOf = new Map<string, number>();
  for (const { topic } of of.inputs) inputsOf.set(topic, (inputsOf.get(topic) ?? 0) + 1);
  for (const topic of new Set(of.outputs.map((record) => record.topic))) {
    const source = sourceOf(catalog, topic);
    const expected = of.outputs.filter((record) => record.topic === topic);
    const actual = topics.records(topic).slice(inputsOf.get(topic) ?? 0);
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const at = `${topic}[${i}]`;
      const wanted = expected[i];
      const got = actual[i];
      if (wanted === undefined || got === undefined) {
        return `${topic}: expected ${expected.length} records, got ${actual.length}`;
      }
      const different = recordDifference(wanted, got, source, {
        exact,
        isInserted: of.inputs.length === 0,
      });
      if (different !== null) return `${at} ${different}`;
    }
  }
  return null;
}

function recordDifference(
  expected: CaseRecord,
  record: TopicRecord,
  source: Source,
  { exact, isInserted }: { readonly exact: boolean; readonly isInserted: boolean },
): string | null {
  const actual = readRecord(record, source);
  const { timestampMs } = expected;
  const isAnyTime = timestampMs === null || (timestampMs === 0 && isInserted);
  if (!isAnyTime && timestampMs !== record.timestamp) {
    return `rowtime: expected ${timestampMs}, got ${record.timestamp}`;
  }
  if (JSON.stringify(bounds(expected.window)) !== JSON.stringify(bounds(actual.window))) {
    return `window: expected ${bounds(expected.window)}, got ${bounds(actual.window)}`;
  }
  const different = headersDifference(expected, record);
  if (different !== null) return different;
  const key = difference(expected.key, actual.key, exact);
  if (key !== null) return `key: ${key}`;
  const value = difference(expected.value, actual.value, exact);
  return value === null ? null : `value: ${value}`;
}

function bounds(window: CaseRecord['window']): string {
  return window === null ? 'none' : `${window.type} ${window.startMs}..${window.endMs}`;
}

function headersDifference(expected: CaseRecord, { headers }: TopicRecord): string | null {
  if (headers.length !== expected.headers.length) {
    return `headers: expected ${expected.headers.length}, got ${headers.length}`;
  }
  const index = expected.headers.findIndex((header, i) => {
    const value = header.value === null ? null : decodeBase64(header.value);
    const got = headers[i]?.value ?? null;
    const equal = value === null || got === null ? value === got : bytesEqual(value, got);
    return headers[i]?.name !== header.name || !equal;
  });
  return index < 0 ? null : `header ${index} differs`;
}

function sourcesDifference(of: Case, catalog: Catalog): string | null {
  for (const expected of of.sources) {
    const different = sourceDifference(expected, catalog);
    if (different !== null) return different;
  }
  return null;
}
