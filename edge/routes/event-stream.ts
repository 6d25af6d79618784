// Server-sent events as a response: events and comments as they are made, pulled by the reader; knows nothing of what they say.

import { log } from '../../runtime/base/log.ts';
import { answers } from '../guard/answers.ts';
import { isOutOfCalls } from '../calls.ts';
import type { EdgeContext } from './context.ts';
import { errorBody } from './errors.ts';

const EVENT_STREAM_TYPE = 'text/event-stream';
/** How long a stream is silent before it says that it lives. */
export const HEARTBEAT_MS = 15_000;
/** What a client waits before it connects again. */
const RETRY_MS = 1_000;

export const HEARTBEAT = ':\n\n';

/** One event. What is several lines (JSON that was stored so) is sent as several, and is one text to the client. */
export function eventText(event: {
  readonly type?: 'header' | 'end' | 'error' | undefined;
  readonly id?: string | undefined;
  readonly data: string;
}): string {
  const type = event.type === undefined ? '' : `event: ${event.type}\n`;
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const data = /[\r\n]/.test(event.data)
    ? event.data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')
    : event.data;
  return `${type}${id}data: ${data}\n\n`;
}

/** True when the client asks for events. */
export function wantsEvents(c: EdgeContext): boolean {
  return c.req.header('Accept')?.toLowerCase().includes(EVENT_STREAM_TYPE) === true;
}

/** Where a client goes on: what it says in the header that EventSource sends, or in the query. */
export function lastEventId(c: EdgeContext): string | null {
  const id = c.req.header('Last-Event-ID') ?? c.req.query('last_event_id') ?? '';
  return id === '' ? null : id;
}

export interface EventStreamOptions {
  /** true: its client goes on behind the last event, on another connection, where this one ends. */
  readonly isResumable: boolean;
  /** Called once, when the reader has gone, or does not read, or nothing more will come. */
  readonly onEnd?: (() => void | Promise<void>) | undefined;
}

/** The events as a response. Nothing is made before the reader has taken what was; what `events` throws is the last event. */
export function eventStream(
  events: AsyncIterator<string, void>,
  { isResumable, onEnd = () => undefined }: EventStreamOptions,
): Response {
  const failure = (thrown: unknown): string =>
    isResumable && isOutOfCalls(thrown) ? '' : failureText(thrown);
  // The headers leave with the first bytes: they do not wait for the first event.
  const texts = startingWith(`retry: ${RETRY_MS}\n\n`, events);
  const body = answers.stream({ texts, failure, onEnd });
  return new Response(body, {
    headers: {
      'Content-Type': EVENT_STREAM_TYPE,
      // A proxy that compresses or gathers answers would hold events back.
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    },
  });
}

/** A text before the others. No generator, which would keep what it gave while it waits for its reader. */
export function startingWith(
  first: string,
  rest: AsyncIterator<string, void>,
): AsyncIterator<string, void> {
  let begin: string | null = first;
  return {
    next: () => {
      if (begin === null) return rest.next();
      const value = begin;
      begin = null;
      return Promise.resolve({ value });
    },
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
  };
}

function failureText(thrown: unknown): string {
  const body = errorBody(thrown);
  if (body.code === 'INTERNAL') log('error', 'event-stream-failed', { thrown });
  return eventText({ type: 'error', data: JSON.stringify(body) });
}
