// Asks the partitions and tasks of one page, some at a time, and writes what they answer; one that does not answer is a gap. Knows no route.

import { METRICS_OBJECTS_MAX, METRICS_WAIT_MS_MAX } from '../../runtime/base/limits.ts';
import { log } from '../../runtime/base/log.ts';
import type { TopicPartition } from '../../runtime/ports/log.ts';
import { catalogOf, type EdgeEnv, partitionAt, processorAt } from '../env.ts';
import { inLanes } from '../lanes.ts';
import { unwrap, type Wire } from '../wire.ts';
import type { Exposition } from './exposition.ts';
import type { FamilyName } from './families.ts';
import type { ListedTask, PartitionMetrics, TaskMetrics } from './meters.ts';

/** What the counters of a task are called outside. */
const COUNTERS: readonly (readonly [counter: string, family: FamilyName])[] = [
  ['in', 'millrace_stream_task_process_records_total'],
  ['out', 'millrace_stream_task_output_records_total'],
  ['late', 'millrace_stream_task_late_records_total'],
  ['dropped', 'millrace_stream_task_dropped_records_total'],
  ['errors', 'millrace_stream_task_error_records_total'],
  ['deadLetters', 'millrace_stream_task_dead_letter_records_total'],
];

/** Objects that did not answer, since this isolate began. */
let unanswered = 0;

type Asked = { readonly at: TopicPartition } | ListedTask;

export class Collector {
  readonly #env: EdgeEnv;
  readonly #tenant: string;
  readonly #to: Exposition;
  /** High watermarks of this page's partitions and of the inputs of its tasks. */
  readonly #highWatermarks = new Map<string, Promise<number | null>>();

  constructor(env: EdgeEnv, tenant: string, to: Exposition) {
    this.#env = env;
    this.#tenant = tenant;
    this.#to = to;
  }

  /**
   * Writes the series of one page. Partitions come before tasks, both in the order of the catalog.
   * @param page from 0; one behind the last has no objects
   * @throws {PortError} UNAVAILABLE when the catalog does not answer: then nothing is known
   */
  async page(page: number): Promise<void> {
    const catalog = catalogOf(this.#env, this.#tenant);
    const [topics, tasks] = await Promise.all([unwrap(catalog.topics()), unwrap(catalog.tasks())]);
    const partitions = topics.flatMap(({ name: topic, partitions: count }) =>
      Array.from({ length: count }, (_, partition): Asked => ({ at: { topic, partition } })),
    );
    const all: Asked[] = [...partitions, ...tasks];
    const first = page * METRICS_OBJECTS_MAX;
    await inLanes(all.slice(first, first + METRICS_OBJECTS_MAX), (one) =>
      'at' in one ? this.#partition(one.at) : this.#task(one),
    );
    this.#to.add('millrace_metrics_objects', [], all.length);
    this.#to.add('millrace_metrics_pages', [], Math.ceil(all.length / METRICS_OBJECTS_MAX));
    this.#to.add('millrace_metrics_unanswered_objects_total', [], unanswered);
  }

  async #partition(at: TopicPartition): Promise<void> {
    const found = await answerOf<PartitionMetrics>(
      () => partitionAt(this.#env, this.#tenant, at).metrics(),
      at,
    );
    this.#highWatermarks.set(keyOf(at), Promise.resolve(found?.highWatermark ?? null));
    if (found === null) return;
    const labels = [at.topic, at.partition];
    const to = this.#to;
    to.add('millrace_partition_log_start_offset', labels, found.start);
    to.add('millrace_partition_high_watermark_offset', labels, found.highWatermark);
    to.add('millrace_partition_size_bytes', labels, found.lengthBytes);
    to.add('millrace_partition_storage_bytes', labels, found.storageBytes);
    to.add('millrace_partition_producers', labels, found.producers);
    to.add('millrace_partition_appended_records_total', labels, found.appendedRecords);
    to.add('millrace_partition_appended_bytes_total', labels, found.appendedBytes);
    to.add('millrace_partition_appended_batches_total', labels, found.appendedBatches);
    to.add('millrace_partition_repeated_batches_total', labels, found.repeatedBatches);
    for (const [code, appends] of found.refused) {
      to.add('millrace_partition_refused_appends_total', [...labels, code], appends);
    }
    to.add('millrace_partition_rows_written_total', labels, found.rowsWritten);
  }

  async #task({ query, task }: ListedTask): Promise<void> {
    const found = await answerOf<TaskMetrics | null>(
      () => processorAt(this.#env, this.#tenant, task).metrics(),
      { query, task },
    );
    if (found === null) return;
    const labels = [query, task];
    const to = this.#to;
    to.add('millrace_stream_task_running', labels, found.state === 'RUNNING' ? 1 : 0);
    const counters = new Map(found.counters.map(({ name, value }) => [name, value]));
    for (const [counter, family] of COUNTERS) to.add(family, labels, counters.get(counter) ?? 0);
    to.add('millrace_stream_task_commits_total', labels, found.commits);
    const seconds = found.commitMs / 1000;
    to.add('millrace_stream_task_commit_latency_seconds_total', labels, seconds);
    to.add('millrace_stream_task_outbox_pending_appends', labels, found.outboxAppends);
    to.add('millrace_stream_task_outbox_pending_bytes', labels, found.outboxBytes);
    to.add('millrace_stream_task_storage_bytes', labels, found.storageBytes);
    to.add('millrace_stream_task_rows_written_total', labels, found.rowsWritten);
    for (const { at, position } of found.inputs) {
      const highWatermark = await this.#highWatermark(at);
      // Without a position the task begins with the records that it finds: what is behind it is not known.
      if (highWatermark === null || position === null) continue;
      // A record may have been committed between the two answers.
      const lag = Math.max(0, highWatermark - position);
      to.add('millrace_stream_task_record_lag', [...labels, at.topic, at.partition], lag);
    }
  }

  #highWatermark(at: TopicPartition): Promise<number | null> {
    const key = keyOf(at);
    let found = this.#highWatermarks.get(key);
    if (found === undefined) {
      found = answerOf(() => partitionAt(this.#env, this.#tenant, at).bounds(), at).then(
        (bounds) => bounds?.highWatermark ?? null,
      );
      this.#highWatermarks.set(key, found);
    }
    return found;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition} ${topic}`;
}

/** The answer of one object; null when it did not answer, which is counted and told. */
async function answerOf<T>(
  call: () => Promise<Wire<T>>,
  names: Readonly<Partial<Record<'topic' | 'query' | 'task', string> & { partition: number }>>,
): Promise<T | null> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), METRICS_WAIT_MS_MAX);
  try {
    return await Promise.race([unwrap(call()), late]);
  } catch (thrown) {
    unanswered += 1;
    log('warn', 'metrics-unanswered', { ...names, thrown });
    return null;
  } finally {
    clearTimeout(timer);
  }
}
