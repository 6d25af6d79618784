// The answer of a query as server-sent events (PROTOCOL.md section 8); knows no row.

import { PortError } from '../base/errors.ts';
import { type AnswerPart, type Asked, headerOf, type OpenAnswer } from './answer.ts';
import { type Connection, jsonCall } from './connection.ts';
import { errorOf } from './errors.ts';
import { cut, Lines } from './lines.ts';

interface Event {
  readonly type: string;
  readonly id: string | null;
  readonly data: string;
}

/** Asks, and again while the edge does not answer. @throws what the edge refuses; UNAVAILABLE */
export async function openEvents(
  connection: Connection,
  { sql, properties, token, signal }: Asked,
): Promise<OpenAnswer> {
  const call = jsonCall('/query-stream', { sql, properties, token }, signal);
  const accepting = { ...call, headers: { ...call.headers, Accept: 'text/event-stream' } };
  const answer = connection.retried(accepting, async (response) => {
    if (response.body === null) throw cut(null);
    const lines = new Lines(response.body);
    const { data, id } = await nextEvent(lines);
    const header = headerOf(JSON.parse(data), id);
    lines.mayBeCut = header.isResumable;
    return {
      header,
      next: async () => partOf(await nextEvent(lines)),
      taken: () => undefined,
      close: () => lines.cancel(),
    };
  });
  return answer.catch((thrown: unknown) => {
    throw isLate(thrown) ? heldBack(thrown) : thrown;
  });
}

function isLate(thrown: unknown): thrown is PortError {
  return (
    thrown instanceof PortError && (thrown.cause as Error | undefined)?.name === 'TimeoutError'
  );
}

function heldBack(cause: PortError): PortError {
  const message =
    "no event came in time: where a proxy holds answers back until they end, transport: 'socket' passes it";
  return new PortError('UNAVAILABLE', message, {}, { cause });
}

function partOf({ type, id, data }: Event): AnswerPart {
  if (type === 'message') return { kind: 'rows', text: data, token: id };
  const value = JSON.parse(data) as { readonly message: string | null };
  if (type === 'error') throw errorOf(200, value);
  return { kind: 'end', message: value.message };
}

/** @throws {PortError} UNAVAILABLE when the answer is cut */
async function nextEvent(lines: Lines): Promise<Event> {
  let type = 'message';
  let id: string | null = null;
  const data: string[] = [];
  for (;;) {
    const line = await lines.next();
    if (line === null) throw cut(null);
    const at = line.indexOf(': ');
    const value = line.slice(at + 2);
    if (line.startsWith('data')) data.push(value);
    else if (line.startsWith('event')) type = value;
    else if (line.startsWith('id')) id = value;
    else if (line === '' && data.length > 0) return { type, id, data: data.join('\n') };
  }
}
