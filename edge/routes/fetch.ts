// Fetch over HTTP: records as JSON, digits untouched, as events or as record batches; waits where asked; knows no SQL.

import type { Hono } from 'hono';
import { encodeBase64 } from '../../runtime/base/base64.ts';
import { decodeUtf8, isUtf8 } from '../../runtime/base/bytes.ts';
import {
  FETCH_BYTES_MAX,
  PAGE_BYTES_MAX,
  WOKEN_FETCH_BYTES_MAX,
} from '../../runtime/base/limits.ts';
import {
  indexAt,
  offsetAt,
  parseRecordBatch,
  type RecordBatch,
} from '../../runtime/data/record.ts';
import type { Fetched, TopicPartition } from '../../runtime/ports/log.ts';
import type { RemoteLog } from '../adapters/remote-log.ts';
import { FRAMES_TYPE } from '../frames.ts';
import { answers } from '../guard/answers.ts';
import type { EdgeContext, EdgeHono } from './context.ts';
import { refusal } from './errors.ts';
import {
  eventStream,
  eventText,
  HEARTBEAT,
  HEARTBEAT_MS,
  lastEventId,
  startingWith,
  wantsEvents,
} from './event-stream.ts';
import { boundedOf, integerOf, parametersOf } from './parameters.ts';

const WAIT_MS_MAX = 30_000;
const PARAMETERS = ['offset', 'max_bytes', 'wait_ms', 'incarnation', 'last_event_id'] as const;

export function fetchRoutes(app: Hono<EdgeHono>): void {
  app.get('/topics/:topic/partitions/:partition/records', (c) => {
    const partition = integerOf(c.req.param('partition'), 'partition');
    return fetchRecords(c, { topic: c.req.param('topic'), partition });
  });
}

async function fetchRecords(c: EdgeContext, at: TopicPartition): Promise<Response> {
  const { log } = c.get('edge');
  const asked = parametersOf(c, PARAMETERS);
  const isEvents = wantsEvents(c);
  const isFrames = !isEvents && c.req.header('Accept')?.includes(FRAMES_TYPE) === true;
  const bytesMost = isFrames ? PAGE_BYTES_MAX : FETCH_BYTES_MAX;
  const bytesMax = boundedOf(asked.max_bytes, 'max_bytes', FETCH_BYTES_MAX, bytesMost);
  const last = isEvents ? lastEventId(c) : null;
  const { from, incarnation } = last === null ? await placeOf(log, at, asked) : placeAfter(last);
  const waitMs = boundedOf(asked.wait_ms, 'wait_ms', isEvents ? HEARTBEAT_MS : 0, WAIT_MS_MAX);
  if (isEvents) {
    // What is refused is refused before the stream begins.
    const first = await log.readOrWait(at, from, answers.bytesMax(bytesMax), 0, incarnation);
    const reading = {
      log,
      at,
      bytesMax,
      waitMs: Math.max(waitMs, 1),
      incarnation: first.incarnation,
    };
    return eventStream(recordEvents(reading, recordsEvent(first, from)), { isResumable: true });
  }
  if (isFrames) return log.frames(at, { from, bytesMax, waitMs, incarnation });
  const make = (fetched: Fetched) => jsonAnswer(fetched, from).text;
  const reading = { log, at, bytesMax, waitMs, incarnation };
  const text = waitMs > 0 ? await waited(reading, from, make) : make(await readNow(reading, from));
  return answers.page(text, 'application/json');
}

/** Where a reader begins. */
interface Place {
  readonly from: number;
  /** null: whichever it is. */
  readonly incarnation: string | null;
}

async function placeOf(
  log: RemoteLog,
  at: TopicPartition,
  asked: { readonly offset?: string; readonly incarnation?: string },
): Promise<Place> {
  const { offset = 'earliest', incarnation = null } = asked;
  if (offset === 'earliest') return { from: (await log.bounds(at)).start, incarnation };
  if (offset === 'latest') return { from: (await log.bounds(at)).highWatermark, incarnation };
  return { from: integerOf(offset, 'offset'), incarnation };
}

/** The place that the id of an event names. */
function placeAfter(id: string): Place {
  const slash = id.indexOf('/');
  if (slash <= 0) throw refusal('BAD_REQUEST', 'Last-Event-ID is not the id of an event');
  return { incarnation: id.slice(0, slash), from: integerOf(id.slice(slash + 1), 'Last-Event-ID') };
}

/** Where an event stream reads, and how. */
interface Reading {
  readonly log: RemoteLog;
  readonly at: TopicPartition;
  /** null: whichever it is. */
  readonly incarnation: string | null;
  readonly bytesMax: number;
  readonly waitMs: number;
}

function readNow({ log, at, bytesMax, incarnation }: Reading, from: number): Promise<Fetched> {
  return log.readOrWait(at, from, answers.bytesMax(bytesMax), 0, incarnation);
}

/**
 * What is made of a page, for which it is waited where there is none. All who wait for a record are woken at once: each is brought little, and reads what is
 * longer once there is room.
 */
async function waited<T>(reading: Reading, from: number, make: (page: Fetched) => T): Promise<T> {
  const { log, at, bytesMax, waitMs, incarnation } = reading;
  const little = Math.min(bytesMax, WOKEN_FETCH_BYTES_MAX);
  const page = await log.readWithinOrWait(at, from, little, waitMs, incarnation);
  const last = page.batches.at(-1);
  const isAll =
    page.needed === 0 && (last === undefined || last.base + last.count >= page.highWatermark);
  if (isAll || (page.needed === 0 && bytesMax <= little)) return make(page);
  return whole(reading, from, make, page.needed);
}

/** What is made of a page that is there, once there is room for it. @param least bytes of its first batch, where those are known */
function whole<T>(
  { log, at, bytesMax, incarnation }: Reading,
  from: number,
  make: (page: Fetched) => T,
  least: number,
): Promise<T> {
  const bytes = Math.max(least, answers.bytesMax(bytesMax));
  return answers.reading(bytes, async () =>
    make(await log.readOrWait(at, from, bytes, 0, incarnation)),
  );
}

/**
 * Records as events for as long as somebody reads; nothing is read ahead.
 * @param first what has been read already, from there on
 */
function recordEvents(reading: Reading, first: RecordsEvent): AsyncIterator<string, void> {
  let { next, isBehind } = first;
  return startingWith(first.text, {
    next: async () => {
      const event = await nextEvent(reading, next, isBehind);
      ({ next, isBehind } = event);
      return { value: event.text };
    },
  });
}

/** A page as an event; '' where it has no records. */
interface RecordsEvent {
  readonly text: string;
  /** Where the next one begins. */
  readonly next: number;
  /** There were more records when it was read: nothing need be waited for. */
  readonly isBehind: boolean;
}

async function nextEvent(reading: Reading, from: number, isBehind: boolean): Promise<RecordsEvent> {
  const make = (fetched: Fetched): RecordsEvent => {
    const event = recordsEvent(fetched, from);
    return event.text === '' ? { ...event, text: HEARTBEAT } : event;
  };
  return isBehind ? whole(reading, from, make, 0) : waited(reading, from, make);
}

/** The event of a page, and where the next one begins. Without a record there is none. */
function recordsEvent(fetched: Fetched, from: number): RecordsEvent {
  if (fetched.batches.length === 0) return { text: '', next: from, isBehind: false };
  const { text, next } = jsonAnswer(fetched, from);
  const id = `${fetched.incarnation}/${next}`;
  return { text: eventText({ id, data: text }), next, isBehind: next < fetched.highWatermark };
}

function jsonAnswer(fetched: Fetched, from: number): { text: string; next: number } {
  const { batches, start, highWatermark, incarnation } = fetched;
  const records: string[] = [];
  let next = from;
  for (const { base, count, bytes } of batches) {
    const batch = parseRecordBatch(bytes, 'CORRUPT', { checksum: false });
    if (batch.isColumnar) {
      throw refusal('BAD_REQUEST', `this topic holds columns; ask for ${FRAMES_TYPE}`);
    }
    for (let i = indexAt(batch, base, from); i < batch.count; i++)
      records.push(recordText(batch, i, offsetAt(batch, base, i)));
    next = base + count;
  }
  const rest = JSON.stringify({ next, start, highWatermark, incarnation }).slice(1);
  return { text: `{"records":[${records.join(',')}],${rest}`, next };
}

/** One record as JSON; a value that is JSON stands as it was stored, digit by digit. */
function recordText(batch: RecordBatch, i: number, offset: number): string {
  const key = batch.key(i);
  const value = batch.value(i);
  const members = [`"offset":${offset}`, `"timestamp":${batch.timestamps[i] ?? 0}`];
  if (key === null) members.push('"key":null');
  else if (isUtf8(key)) members.push(`"key":${JSON.stringify(decodeUtf8(key))}`);
  else members.push(`"keyBase64":"${encodeBase64(key)}"`);
  if (value === null) members.push('"value":null');
  else members.push(jsonText(value) ?? `"valueBase64":"${encodeBase64(value)}"`);
  const headers = batch.headers(i);
  if (headers.length > 0) members.push(`"headers":${JSON.stringify(headers.map(headerOf))}`);
  return `{${members.join(',')}}`;
}

function jsonText(value: Uint8Array): string | null {
  if (!isUtf8(value)) return null;
  const text = decodeUtf8(value);
  try {
    JSON.parse(text);
  } catch {
    return null; // Not JSON: the caller sends it as base64.
  }
  return `"value":${text}`;
}

function headerOf({ name, value }: { name: string; value: Uint8Array | null }): object {
  if (value === null) return { name, value: null };
  return isUtf8(value)
    ? { name, value: decodeUtf8(value) }
    : { name, valueBase64: encodeBase64(value) };
}
