// Produce over HTTP: records as JSON and record batches as bytes, idempotent where a producer says who it is; knows no SQL.

import type { Hono } from 'hono';
import { PortError } from '../../runtime/base/errors.ts';
import { log } from '../../runtime/base/log.ts';
import { BODY_BYTES_MAX, PRODUCER_AHEAD_MS_MAX } from '../../runtime/base/limits.ts';
import { assert } from '../../runtime/base/assert.ts';
import type { AppendResult, ProducerStamp, TopicDescription } from '../../runtime/ports/log.ts';
import { checkIncarnation } from '../../runtime/ports/refusals.ts';
import type { EdgeContext, EdgeHono } from './context.ts';
import { readBody, readJsonBytes, requireMediaType } from './body.ts';
import { errorBody, refusal } from './errors.ts';
import { integerOf } from './parameters.ts';
import { type ProducedBatch, producedBatches } from './produce-body.ts';
import { producedJson } from './produce-json.ts';

/** Plain ones: the router's own helpers make a response twice. */
const JSON_HEADERS = { 'Content-Type': 'application/json' };
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
  const body = producedJson(await readJsonBytes(c));
  const nowMs = Date.now();
  const { topics, env, tenant } = c.get('edge');
  return topics.with(env, tenant, name, async (topic) => {
    refuseInternal(topic);
    const { partitions } = topic;
    const target = { topic: name, partitions, nowMs, keyless: anyOf(partitions) };
    const batches = producedBatches(body, target);
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
    // What some partitions have taken is not sent again, whatever becomes of this: the next request finds all of them.
    if (outcomes.some(isOfOther))
      await topics
        .realigned(env, tenant, name)
        .catch((thrown: unknown) => log('warn', 'topic-not-realigned', { topic: name, thrown }));
    return reply(batches, outcomes, topic.incarnation);
  });
}

/** Where records without a key go together: nothing hangs on it but an even spread. */
function anyOf(partitions: number): number {
  return Math.floor(Math.random() * partitions);
}

function isOfOther(outcome: PromiseSettledResult<AppendResult>): boolean {
  if (outcome.status === 'fulfilled') return false;
  const reason: unknown = outcome.reason;
  return reason instanceof PortError && reason.code === 'INCARNATION_CHANGED';
}

function reply(
  batches: readonly ProducedBatch[],
  outcomes: readonly PromiseSettledResult<AppendResult>[],
  incarnation: string,
): Response {
  /** Texts, by position in the request: an object a record would cost as much again as reading it. */
  const offsets: string[] = [];
  let duplicate = false;
  let failed = false;
  batches.forEach(({ partition, rows }, i) => {
    const outcome = outcomes[i];
    assert(outcome !== undefined, 'every batch has an outcome');
    const before = `{"partition":${partition},"offset":`;
    if (outcome.status === 'rejected') {
      failed = true;
      const { error_code, code, message } = errorBody(outcome.reason);
      const text = `${before}null,"error":${JSON.stringify({ error_code, code, message })}}`;
      for (const row of rows) offsets[row] = text;
      return;
    }
    const { base } = outcome.value;
    duplicate ||= outcome.value.duplicate;
    rows.forEach((row, nth) => {
      offsets[row] = `${before}${base === null ? 'null' : base + nth}}`;
    });
  });
  const rest = JSON.stringify({ duplicate, incarnation }).slice(1);
  const text = `{"offsets":[${offsets.join(',')}],${rest}`;
  return new Response(text, { status: failed ? 207 : 200, headers: JSON_HEADERS });
}

async function produceBatch(c: EdgeContext, name: string, partition: number): Promise<Response> {
  const request = c.req.raw;
  const stamp = stampOf(request);
  requireMediaType(request, BATCH_TYPES);
  const bytes = await readBody(c);
  assert(bytes.length <= BODY_BYTES_MAX, 'a body is within its limit');
  const { topics, env, tenant } = c.get('edge');
  const result = await topics.with(env, tenant, name, (topic) => {
    refuseInternal(topic);
    return append(c, topic, partition, bytes, stamp);
  });
  return new Response(JSON.stringify(result), { headers: JSON_HEADERS });
}

async function append(
  c: EdgeContext,
  topic: TopicDescription,
  partition: number,
  bytes: Uint8Array,
  stamp: ProducerStamp | null,
): Promise<AppendResult> {
  // Partitions are asked for the catalog's: one that was put back agrees with clients that know no more than it does.
  const { incarnation: known } = topic;
  checkIncarnation(topic.name, c.req.header('Topic-Incarnation'), known);
  return c
    .get('edge')
    .log.append({ topic: topic.name, partition }, bytes, stamp ?? undefined, known);
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
