// Pull queries over a stream: its topic from the beginning to where it ended when it was asked, row by row to one reader; knows no SQL.

import { InvariantError } from '../base/errors.ts';
import { BATCH_ROWS_MAX } from '../base/limits.ts';
import { type Batch, slice } from '../data/batch.ts';
import { ROW } from '../data/parts.ts';
import { indexAt, parseRecordBatch, type RecordBatch } from '../data/record.ts';
import type { PublicOptions } from '../data/row.ts';
import type { Schema } from '../data/schema.ts';
import type { Formats } from '../formats/serde.ts';
import type { FunctionRegistry } from '../functions/registry.ts';
import type { Operator } from '../operators/operator.ts';
import type { Plan, SourceStep } from '../plan/step.ts';
import type { Host } from '../ports/host.ts';
import type { Log, TopicPartition } from '../ports/log.ts';
import { readRetained } from './records.ts';
import { Current } from '../task/current.ts';
import { type Reader, readerOf } from '../task/input.ts';
import { withParts } from '../task/with-parts.ts';
import { loadFunctions } from './functions.ts';
import { questionStep, through } from './pull-steps.ts';
import { asAnswer, namedColumns } from './answer-batch.ts';
import type { QueryRowsOptions } from './query-rows.ts';

/** Records of a partition up to which values are decoded without the kernel: to begin with it takes as long. */
const RECORDS_BEFORE_KERNEL = 1000;
/** Records that table functions make rows of at once. */
const EXPLODED_RECORDS = 64;

export interface StreamPullOptions {
  /** Of mode `pull`: a source, filters, table functions and projections, a client. */
  readonly plan: Plan;
  readonly host: Pick<Host, 'log' | 'kernel'>;
  readonly formats: Formats;
  readonly registry: FunctionRegistry;
  readonly signal: AbortSignal | null;
  readonly public: PublicOptions;
}

/**
 * Asks a stream. When this resolves, the records that answer are settled; they are read as the rows are, one fetch at a time, so that
 * little is held however long the topic is. Records that cannot be read are skipped: a question leaves no trace. So are those that
 * retention lets go meanwhile.
 */
export async function startStreamPull(options: StreamPullOptions): Promise<QueryRowsOptions> {
  const { plan, host, formats, registry, signal } = options;
  signal?.throwIfAborted();
  await loadFunctions(plan, registry);
  const question = await withParts(() => new Question(plan, formats, registry));
  const { limit, answer } = question;
  const parts: Part[] = [];
  for (let partition = 0; partition < question.partitions; partition++) {
    const at = { topic: question.source.topic, partition };
    const { start, highWatermark, incarnation } = await host.log.bounds(at);
    parts.push({ at, next: start, end: highWatermark, incarnation });
  }
  let left = limit ?? Infinity;
  let isOver = left === 0;
  const batches = answers(question, parts, host);
  return {
    kind: 'pull',
    queryId: null,
    schema: answer,
    columns: namedColumns(answer),
    next: async () => {
      signal?.throwIfAborted();
      if (isOver) return null;
      const { value, done } = await batches.next();
      const batch = done === true ? null : slice(value, 0, Math.min(value.length, left));
      left -= batch?.length ?? 0;
      isOver = batch === null || left === 0;
      return batch;
    },
    close: async () => {
      isOver = true;
      await batches.return();
    },
    finalMessage: () => (left === 0 ? 'Limit Reached' : 'Query Completed'),
    rows: () => withParts(() => ROW.code),
    public: options.public,
  };
}

/** The records of one partition that answer. */
interface Part {
  readonly at: TopicPartition;
  next: number;
  readonly end: number;
  readonly incarnation: string;
}

/** One partition after the other, each in the order of its records. */
async function* answers(
  question: Question,
  parts: readonly Part[],
  { log, kernel }: StreamPullOptions['host'],
): AsyncGenerator<Batch, void, undefined> {
  for (const part of parts) {
    const isLong = part.end - part.next > RECORDS_BEFORE_KERNEL;
    const reading = question.partition(part.at, isLong ? kernel : null);
    try {
      for await (const chunk of chunks(part, log, question.chunkRecords)) {
        yield* await withParts(() => reading.answer(chunk));
      }
    } finally {
      reading.close();
    }
  }
}

/** The records of one partition, as a task cuts them: what depends on that gives the same. */
async function* chunks(part: Part, log: Log, most: number): AsyncGenerator<Chunk, void, undefined> {
  while (part.next < part.end) {
    const { batches } = await readRetained(log, part.at, part.next, part.incarnation);
    if (batches.length === 0) break;
    for (const { base, count, bytes } of batches) {
      const records = parseRecordBatch(bytes);
      const end = indexAt(records, base, part.end);
      for (let from = indexAt(records, base, part.next); from < end;) {
        const to = Math.min(end, (Math.floor(from / most) + 1) * most);
        yield { records, base, from, to };
        from = to;
      }
      part.next = base + count;
    }
  }
}

interface Chunk {
  readonly records: RecordBatch;
  /** The offset at which the record batch stands. */
  readonly base: number;
  readonly from: number;
  readonly to: number;
}

interface Reading {
  answer(chunk: Chunk): readonly Batch[];
  close(): void;
}

/** What is done to the rows of every partition. */
class Question {
  readonly source: SourceStep;
  readonly partitions: number;
  readonly answer: Schema;
  readonly limit: number | null;
  readonly chunkRecords: number;
  readonly #order: readonly number[];
  readonly #plan: Plan;
  readonly #formats: Formats;
  readonly #registry: FunctionRegistry;

  constructor(plan: Plan, formats: Formats, registry: FunctionRegistry) {
    const [part] = plan.subtopologies;
    const source = part?.steps.find((step) => step.step === 'source');
    const client = part?.steps.find((step) => step.step === 'client');
    if (part === undefined || source?.step !== 'source' || client?.step !== 'client') {
      throw new InvariantError('a pull query over a stream has a source and a client');
    }
    const { columns } = client.schema;
    this.source = source;
    this.partitions = part.partitions;
    const explodes = part.steps.some(({ step }) => step === 'flatMap');
    this.chunkRecords = explodes ? EXPLODED_RECORDS : BATCH_ROWS_MAX;
    this.limit = client.limit;
    this.#order = client.order ?? columns.map((_, index) => index);
    // A stream has no key by which its rows are found: ksqlDB marks none.
    this.answer = {
      columns: this.#order.flatMap((index) => {
        const column = columns[index];
        return column === undefined ? [] : [{ ...column, role: 'value' as const }];
      }),
    };
    this.#plan = plan;
    this.#registry = registry;
    this.#formats = formats;
  }

  /** What reads one partition, and its operators, whose rows know where they are from. @param kernel null: values are decoded without it */
  partition(at: TopicPartition, kernel: Host['kernel']): Reading {
    // Another question has other random numbers.
    const incarnation = crypto.randomUUID();
    const current = new Current(`${this.#plan.query}/0/${at.partition}`, [incarnation]);
    let operators: readonly Operator[] | null = null;
    let reader: Reader | null = null;
    return {
      close: () => reader?.close?.(),
      answer: ({ records, base, from, to }) => {
        const steps = operators ?? this.#operators(current);
        // Where code is missing rows may wait in them, which another try makes again.
        operators = null;
        const place = { ...at, base, incarnation };
        current.begin(records, place, from, to);
        reader ??= readerOf(this.source, this.#formats, { kernel });
        const read = reader.read(records, place, from, to, () => undefined);
        const batches = read === null ? [] : through(steps, read);
        operators = steps;
        return batches.flatMap((batch) => asAnswer(batch, this.answer, this.#order) ?? []);
      },
    };
  }

  #operators(current: Current): Operator[] {
    const steps = this.#plan.subtopologies[0]?.steps ?? [];
    return steps
      .filter(({ step }) => step !== 'source' && step !== 'client')
      .map((step) => questionStep(step, this.source.schema, this.#registry, () => current.time));
  }
}
