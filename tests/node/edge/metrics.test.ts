// GET /metrics on plain workerd: what objects have done, in Prometheus' format, by page, behind the guard; and its page of the docs.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Exposition } from '../../../edge/metrics/exposition.ts';
import { type FamilyName, familiesTable } from '../../../edge/metrics/families.ts';
import { RequestCounts } from '../../../edge/metrics/requests.ts';
import {
  METRICS_OBJECTS_MAX,
  METRICS_REQUEST_SERIES_MAX,
  METRICS_SAMPLES_MAX,
} from '../../../runtime/base/limits.ts';
import { send, until } from '../../support/edge-client.ts';
import { Workerd } from '../../support/workerd.ts';

let edge: Workerd;

beforeAll(async () => {
  edge = await Workerd.start();
});
afterAll(() => edge.stop());

/** Samples by their text before the value. Every line is checked against the format. */
function samplesOf(text: string): Map<string, number> {
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, described] = /^# TYPE (\S+) (?:counter|gauge)$/.exec(line) ?? [];
    if (described !== undefined) {
      if (typed.has(described)) throw new Error(`described twice: ${line}`);
      typed.add(described);
    }
    if (line.startsWith('#')) continue;
    const parts = /^([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})?) (\d+(?:\.\d+)?)$/.exec(
      line,
    );
    if (parts === null) throw new Error(`no sample: ${line}`);
    const [, name = '', labels = '', value] = parts;
    expect(typed.has(name)).toBe(true);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

async function scrape(page = ''): Promise<Map<string, number>> {
  const { status, headers, text } = await send(edge, 'GET', `/metrics${page}`);
  expect({ status, type: headers.get('Content-Type') }).toEqual({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
  });
  return samplesOf(text);
}

test('partitions, tasks and requests are told: what came, went, was late or bad, waits and was written', async () => {
  const ksql = `CREATE STREAM raw (k STRING KEY, n BIGINT, t BIGINT)
      WITH (KAFKA_TOPIC='raw', PARTITIONS=2, VALUE_FORMAT='JSON', TIMESTAMP='t');
    CREATE TABLE sums AS SELECT k, SUM(n) AS n FROM raw
      WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 0 SECONDS) GROUP BY k EMIT CHANGES;`;
  expect((await send(edge, 'POST', '/ksql', { ksql })).status).toBe(200);
  const record = (t: number, n: unknown = 1) => ({ key: 'a', value: { n, t }, partition: 1 });
  const records = [record(1000), record(1500), record(9000), record(1200), record(9001, 'no')];
  expect((await send(edge, 'POST', '/topics/raw/records', { records })).status).toBe(200);
  const raw = '{topic="raw",partition="1"}';
  const { queries } = (await send(edge, 'GET', '/queries')).body as { queries: { id: string }[] };
  const id = queries[0]?.id ?? '';
  const task = `{query="${id}",task="${id}/0/1"}`;
  const lag = `{query="${id}",task="${id}/0/1",topic="raw",partition="1"}`;
  const found = await until(async () => {
    const all = await scrape();
    return all.get(`millrace_stream_task_record_lag${lag}`) === 0 && all;
  });
  const value = (name: FamilyName, labels: string) => found.get(name + labels);
  expect(value('millrace_partition_log_start_offset', raw)).toBe(0);
  expect(value('millrace_partition_high_watermark_offset', raw)).toBe(5);
  expect(value('millrace_partition_appended_records_total', raw)).toBe(5);
  expect(value('millrace_partition_appended_bytes_total', raw)).toBe(
    value('millrace_partition_size_bytes', raw),
  );
  expect(value('millrace_partition_rows_written_total', raw)).toBeGreaterThan(2);
  expect(value('millrace_partition_storage_bytes', raw)).toBeGreaterThan(4096);
  expect(value('millrace_stream_task_running', task)).toBe(1);
  expect(value('millrace_stream_task_process_records_total', task)).toBe(5);
  expect(value('millrace_stream_task_late_records_total', task)).toBe(1);
  expect(value('millrace_stream_task_error_records_total', task)).toBe(1);
  expect(value('millrace_stream_task_dead_letter_records_total', task)).toBe(0);
  expect(value('millrace_stream_task_output_records_total', task)).toBe(3);
  expect(value('millrace_stream_task_commits_total', task)).toBeGreaterThan(0);
  expect(value('millrace_stream_task_commit_latency_seconds_total', task)).toBeGreaterThanOrEqual(
    0,
  );
  expect(value('millrace_stream_task_rows_written_total', task)).toBeGreaterThan(2);
  expect(value('millrace_stream_task_outbox_pending_appends', task)).toBe(0);
  const statements = '{route="/ksql",method="POST",status="200"}';
  expect(value('millrace_http_requests_total', statements)).toBe(1);
  // One page holds all: it says so, and the next one is empty.
  expect(value('millrace_metrics_pages', '')).toBe(1);
  expect(value('millrace_metrics_unanswered_objects_total', '')).toBe(0);
  const next = await scrape('?page=1');
  expect([...next.keys()].filter((key) => key.includes('{'))).toEqual([]);
  expect((await send(edge, 'GET', '/metrics?page=x')).status).toBe(400);
});

test('refused appends are counted by code and not among the appended', async () => {
  await send(edge, 'POST', '/topics', { name: 'refusing', compacted: true });
  const ok = await send(edge, 'POST', '/topics/refusing/records', {
    records: [{ key: 'a', value: 1 }],
  });
  expect(ok.status).toBe(200);
  const bad = await send(edge, 'POST', '/topics/refusing/records', { records: [{ value: 1 }] });
  expect(bad.status).toBe(400);
  const found = await scrape();
  const at = 'topic="refusing",partition="0"';
  expect(found.get(`millrace_partition_appended_records_total{${at}}`)).toBe(1);
  expect(found.get(`millrace_partition_refused_appends_total{${at},code="INVALID_RECORD"}`)).toBe(
    1,
  );
});

test(`a page has at most ${METRICS_OBJECTS_MAX} objects; the pages together have each once`, async () => {
  await send(edge, 'POST', '/topics', { name: 'wide', partitions: 256 });
  const first = await scrape();
  expect(first.get('millrace_metrics_pages')).toBe(2);
  const second = await scrape('?page=1');
  const keys = [...first.keys(), ...second.keys()].filter((key) =>
    key.startsWith('millrace_partition_high_watermark_offset{topic="wide"'),
  );
  expect(keys).toHaveLength(256);
  expect(new Set(keys).size).toBe(256);
  const objects = (samples: Map<string, number>) =>
    [...samples.keys()].filter((key) =>
      /^millrace_(partition_log_start|stream_task_running)/.test(key),
    );
  expect(objects(first)).toHaveLength(METRICS_OBJECTS_MAX);
  expect(objects(first).length + objects(second).length).toBe(
    first.get('millrace_metrics_objects'),
  );
});

test('labels are escaped, and samples end at their limit', () => {
  const to = new Exposition();
  for (let i = 0; i <= METRICS_SAMPLES_MAX; i++) {
    to.add('millrace_partition_producers', ['a"\\\n', i], i);
  }
  const lines = to.text().trimEnd().split('\n');
  expect(lines).toHaveLength(METRICS_SAMPLES_MAX + 2);
  expect(lines[2]).toBe('millrace_partition_producers{topic="a\\"\\\\\\n",partition="0"} 0');
});

test('series of requests end at their limit, those that are known go on', () => {
  const counts = new RequestCounts();
  for (let i = 0; i <= METRICS_REQUEST_SERIES_MAX; i++) counts.add(`/${i}`, 'GET', 200);
  counts.add('/0', 'GET', 200);
  const to = new Exposition();
  counts.write(to);
  const samples = samplesOf(to.text());
  expect(samples.size).toBe(METRICS_REQUEST_SERIES_MAX);
  expect(samples.get('millrace_http_requests_total{route="/0",method="GET",status="200"}')).toBe(2);
});

test('docs/metrics.md has the table of the code', () => {
  const page = readFileSync(resolve('docs/metrics.md'), 'utf8');
  expect(page).toContain(`\n${familiesTable()}\n`);
});
