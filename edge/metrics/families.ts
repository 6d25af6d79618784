// Every metric of the edge: its name, kind, labels, unit and meaning; docs/metrics.md says the same. Knows no value.

export interface Family {
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly unit: string;
  readonly help: string;
}

const PARTITION = ['topic', 'partition'];
const TASK = ['query', 'task'];
const INPUT = [...TASK, 'topic', 'partition'];

function counter(labels: readonly string[], unit: string, help: string): Family {
  return { kind: 'counter', labels, unit, help };
}

function gauge(labels: readonly string[], unit: string, help: string): Family {
  return { kind: 'gauge', labels, unit, help };
}

/** By name, in the order in which they are written. */
export const FAMILIES = {
  millrace_partition_log_start_offset: gauge(
    PARTITION,
    'offset',
    'The oldest offset that is kept.',
  ),
  millrace_partition_high_watermark_offset: gauge(
    PARTITION,
    'offset',
    'The offset that the next record gets.',
  ),
  millrace_partition_size_bytes: gauge(
    PARTITION,
    'bytes',
    'Bytes of the record batches that are kept.',
  ),
  millrace_partition_storage_bytes: gauge(
    PARTITION,
    'bytes',
    'Size of the database of the object.',
  ),
  millrace_partition_producers: gauge(
    PARTITION,
    'producers',
    'Producers whose sequence is remembered.',
  ),
  millrace_partition_appended_records_total: counter(
    PARTITION,
    'records',
    'Records appended; repeats of a producer count once.',
  ),
  millrace_partition_appended_bytes_total: counter(
    PARTITION,
    'bytes',
    'Bytes of the record batches appended.',
  ),
  millrace_partition_appended_batches_total: counter(
    PARTITION,
    'batches',
    'Record batches appended.',
  ),
  millrace_partition_repeated_batches_total: counter(
    PARTITION,
    'batches',
    'Record batches that a producer sent again, answered and not stored.',
  ),
  millrace_partition_refused_appends_total: counter(
    [...PARTITION, 'code'],
    'appends',
    'Appends refused, by the code of the error.',
  ),
  millrace_partition_rows_written_total: counter(
    PARTITION,
    'rows',
    'Rows that the statements of the object have written.',
  ),
  millrace_stream_task_running: gauge(
    TASK,
    '0 or 1',
    '1 while the task runs; 0 when it is paused or has ended with an error.',
  ),
  millrace_stream_task_process_records_total: counter(
    TASK,
    'records',
    'Records read from the sources of the query.',
  ),
  millrace_stream_task_output_records_total: counter(
    TASK,
    'records',
    'Records written to the sink.',
  ),
  millrace_stream_task_late_records_total: counter(
    TASK,
    'records',
    'Rows whose windows, or join, had closed.',
  ),
  millrace_stream_task_dropped_records_total: counter(
    TASK,
    'records',
    'Rows that a step could not use: a null key, a stream time that is past.',
  ),
  millrace_stream_task_error_records_total: counter(
    TASK,
    'records',
    'Problems of rows, each told in the processing log.',
  ),
  millrace_stream_task_dead_letter_records_total: counter(
    TASK,
    'records',
    'Records given up after repeated failures and put into __dead_letters.',
  ),
  millrace_stream_task_commits_total: counter(TASK, 'commits', 'Commits since the object began.'),
  millrace_stream_task_commit_latency_seconds_total: counter(
    TASK,
    'seconds',
    'Time from the transaction of a commit until it was durable, in all: of every eighth commit, times eight.',
  ),
  millrace_stream_task_record_lag: gauge(
    INPUT,
    'records',
    'High watermark of an input less the position that is committed.',
  ),
  millrace_stream_task_outbox_pending_appends: gauge(
    TASK,
    'appends',
    'Appends that are committed and not acknowledged by their partition.',
  ),
  millrace_stream_task_outbox_pending_bytes: gauge(TASK, 'bytes', 'Bytes of those appends.'),
  millrace_stream_task_storage_bytes: gauge(
    TASK,
    'bytes',
    'Size of the database of the object: state, deltas and outbox.',
  ),
  millrace_stream_task_rows_written_total: counter(
    TASK,
    'rows',
    'Rows that the statements of the object have written.',
  ),
  millrace_http_requests_total: counter(
    ['route', 'method', 'status'],
    'requests',
    'Requests that this isolate of the Worker has answered, of all tenants.',
  ),
  millrace_http_answers_held_bytes: gauge(
    [],
    'bytes',
    'Bytes of answers that wait in this isolate of the Worker for readers who have not taken them.',
  ),
  millrace_push_queries_held_bytes: gauge(
    [],
    'bytes',
    'Bytes that the push queries of this isolate of the Worker hold, as far as is counted: state, and what was read ahead of readers.',
  ),
  millrace_http_slow_bodies: gauge(
    [],
    'requests',
    'Requests of this isolate of the Worker whose bodies come slowly.',
  ),
  millrace_metrics_objects: gauge(
    [],
    'objects',
    'Partitions and tasks of the tenant, on all pages.',
  ),
  millrace_metrics_pages: gauge([], 'pages', 'Pages of this answer.'),
  millrace_metrics_unanswered_objects_total: counter(
    [],
    'objects',
    'Objects that did not answer, in time or at all, since this isolate began: their series are missing.',
  ),
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof FAMILIES;

/** The table of docs/metrics.md. */
export function familiesTable(): string {
  const lines = Object.entries(FAMILIES).map(
    ([name, { kind, labels, unit, help }]: readonly [string, Family]) =>
      `| \`${name}\` | ${kind} | ${labels.join(', ')} | ${unit} | ${help} |`,
  );
  return ['| Name | Kind | Labels | Unit | Meaning |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}
