// Produce over HTTP: records as JSON and record batches as bytes, idempotent where a producer says who it is; knows no SQL.

import type { Hono } from 'hono';
import { PortError } from '../../runtime/base/errors.ts';
import { BODY_BYTES_MAX, PRODUCER_AHEAD_MS_MAX } from '../../runtime/base/limits.ts';
import { assert } from '../../runtime/base/assert.ts';
import type { AppendResult, ProducerStamp, TopicDescription } from '../../runtime/ports/log.ts';
import type { EdgeContext, EdgeHono } from './context.ts';
import { readBody, readJson, requireMediaType } from './body.ts';
import { errorBody, refusal } from './errors.ts';
import { integerOf } from './parameters.ts';
import { type ProducedBatch, producedBatches } from './produce-body.ts';

const BATCH_TYPES: ReadonlySet<string> = new Set(['application/vnd.millrace.batch']);

export function produceRoutes(app: Hono<EdgeHono>): void {
  app.post('/topics/:topic/records', (c) => produceRecords(c, c.req.param('topic')));
  app.post('/topics/:topic/partitions/:partition/batch', (c) => {
    const partition = integerOf(c.req.param('partition'), 'partition');
    return produceBatch(c, c.req.param('topic'), partition);
  });
}

async function produceRecords(c: EdgeContext, name: string): Promise<Response> {
  const request = c.req.raw;
  const stamp = stampOf(request);
  const { text, value } = await readJson(request);
  const nowMs = Date.now();
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const { topics, env, tenant } = c.var.edge;
  return topics.with(env, tenant, name, async (topic) => {
    refuseInternal(topic);
    const { partitions } = topic;
    const target = { topic: name, partitions, nowMs, keyless: random % partitions };
    const batches = producedBatches(text, value, target);
    if (stamp !== null && batches.length > 1) {
      throw refusal('BAD_REQUEST', 'records with Producer-Seq go to one partition a request');
    }
    const outcomes = await Promise.allSettled(
      batches.map((batch) => append(c, topic, batch.partition, batch.bytes, stamp)),
    );
    const [only] = outcomes;
    if (only?.status === 'rejected' && outcomes.every(({ status }) => status === 'rejected')) {
      throw only.reason;
    }
    return reply(c, batches, outcomes, topic.incarnation);
  });
}

function reply(
  c: EdgeContext,
  batches: readonly ProducedBatch[],
  outcomes: readonly PromiseSettledResult<AppendResult>[],
  incarnation: string,
): Response {
  const offsets: object[] = [];
  let duplicate = false;
  let failed = false;
  batches.forEach(({ partition, rows }, i) => {
    const outcome = outcomes[i];
    assert(outcome !== undefined, 'every batch has an outcome');
    rows.forEach((row, nth) => {
      if (outcome.status === 'rejected') {
        const { error_code, code, message } = errorBody(outcome.reason);
        offsets[row] = { partition, offset: null, error: { error_code, code, message } };
        failed = true;
        return;
      }
      const { base } = outcome.value;
      duplicate ||= outcome.value.duplicate;
      offsets[row] = { partition, offset: base === null ? null : base + nth };
    });
  });
  return c.json({ offsets, duplicate, incarnation }, failed ? 207 : 200);
}

async function produceBatch(c: EdgeContext, name: string, partition: number): Promise<Response> {
  const request = c.req.raw;
  const stamp = stampOf(request);
  requireMediaType(request, BATCH_TYPES);
  const bytes = await readBody(request);
  assert(bytes.length <= BODY_BYTES_MAX, 'a body is within its limit');
  const { topics, env, tenant } = c.var.edge;
  const result = await topics.with(env, tenant, name, (topic) => {
    refuseInternal(topic);
    return append(c, topic, partition, bytes, stamp);
  });
  return c.json(result);
}

function append(
  c: EdgeContext,
  topic: TopicDescription,
  partition: number,
  bytes: Uint8Array,
  stamp: ProducerStamp | null,
): Promise<AppendResult> {
  const known = c.req.header('Topic-Incarnation') ?? topic.incarnation;
  return c.var.edge.log.append({ topic: topic.name, partition }, bytes, stamp ?? undefined, known);
}

function refuseInternal(topic: TopicDescription): void {
  if (topic.internal) {
    throw refusal('BAD_REQUEST', `topic '${topic.name}' is written by millrace alone`);
  }
}

/** Who appends, from the three headers; null without any. */
function stampOf(request: Request): ProducerStamp | null {
  const id = request.headers.get('Producer-Id');
  const epoch = request.headers.get('Producer-Epoch');
  const sequence = request.headers.get('Producer-Seq');
  if (id === null && epoch === null && sequence === null) return null;
  if (id === null || epoch === null || sequence === null) {
    throw refusal('BAD_REQUEST', 'Producer-Id, Producer-Epoch and Producer-Seq come together');
  }
  const [, createdMs] = PRODUCER_ID.exec(id) ?? [];
  if (createdMs === undefined || id.length > PRODUCER_ID_LENGTH_MAX) {
    throw refusal(
      'BAD_REQUEST',
      `Producer-Id is its creation time in ms, a dot and a name of A-Z a-z 0-9 . _ : / -, at most ${PRODUCER_ID_LENGTH_MAX} characters`,
    );
  }
  // Once forgotten, one from the future would shut out all that are made until then.
  const nowMs = Date.now();
  if (Number(createdMs) > nowMs + PRODUCER_AHEAD_MS_MAX) {
    const message = `producer '${id}' was made ${Number(createdMs) - nowMs} ms ahead of the edge's clock`;
    throw new PortError('UNKNOWN_PRODUCER', message, { nowMs });
  }
  return {
    id,
    epoch: integerOf(epoch, 'Producer-Epoch'),
    sequence: integerOf(sequence, 'Producer-Seq'),
  };
}

const PRODUCER_ID_LENGTH_MAX = 300;
const PRODUCER_ID = /^(\d{1,15})\.[\w.:/-]+$/;
