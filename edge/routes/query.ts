// SELECT and PRINT over HTTP: /query and /query-stream in ksqlDB's formats, streamed; knows neither plans nor objects.

import type { Hono } from 'hono';
import { answers } from '../guard/answers.ts';
import type { EdgeContext, EdgeHono } from './context.ts';
import { errorBody, errorResponse, refusal } from './errors.ts';
import { isObject, readOrder } from './body.ts';
import {
  closeQuery,
  type Printing,
  type RunningQuery,
  startQuery,
  startSelect,
} from './queries.ts';
import { parametersOf } from './parameters.ts';
import { eventStream, HEARTBEAT_MS, lastEventId, wantsEvents } from './event-stream.ts';
import { heard } from './heard.ts';
import { queryEvents } from './query-events.ts';
import { queryOf, type QueryRequest, readQuery, type readScript } from './script.ts';
import type { RowText } from '../rows.ts';

const DELIMITED = 'application/vnd.ksqlapi.delimited.v1';
const KSQL_JSON = 'application/vnd.ksql.v1+json';
const JSON_TYPE = 'application/json';
/** What PRINT answers, whatever else is accepted: its lines are for people. */
const PRINTED = 'text/plain; charset=utf-8';
/** What is sent when there was no element for a while: it belongs to the next one, and JSON may begin with it. */
const QUIET = ' ';

/** How a query's elements are written. */
interface Style {
  readonly type: string;
  /** true: elements of one JSON array; false: one a line. */
  readonly isArray: boolean;
  header(query: RunningQuery): string;
  row(row: RowText): string;
  /** null: the end is told by the end. */
  end(query: RunningQuery): string | null;
  failure(body: object): string;
}

/** Elements as objects: `header`, `row`, `finalMessage`, `errorMessage`. */
const OBJECTS: Omit<Style, 'type' | 'isArray'> = {
  header: ({ queryId, schemaText }) => {
    const header = queryId === null ? { schema: schemaText } : { queryId, schema: schemaText };
    return JSON.stringify({ header });
  },
  row: ({ columns, isDelete }) =>
    `{"row":{"columns":${columns}${isDelete ? ',"tombstone":true' : ''}}}`,
  end: ({ finalMessage }) => (finalMessage === null ? null : JSON.stringify({ finalMessage })),
  failure: (body) => JSON.stringify({ errorMessage: body }),
};

/** Elements as /query-stream has them: metadata, then one array a row. */
const ARRAYS: Omit<Style, 'type' | 'isArray'> = {
  header: ({ queryId, columns }) =>
    JSON.stringify({
      queryId,
      columnNames: columns.map(({ name }) => name),
      columnTypes: columns.map(({ type }) => type),
    }),
  row: ({ columns }) => columns,
  end: () => null,
  failure: (body) => JSON.stringify(body),
};

export function queryRoutes(app: Hono<EdgeHono>): void {
  app.post('/query', (c) => {
    const delimited = { ...OBJECTS, type: DELIMITED, isArray: false };
    const array = {
      ...OBJECTS,
      type: accepts(c, JSON_TYPE) ? JSON_TYPE : KSQL_JSON,
      isArray: true,
    };
    const style = chosen(c, [array, array, delimited], [KSQL_JSON, JSON_TYPE, DELIMITED]);
    return answer(c, style, 'ksql');
  });

  app.post('/query-stream', async (c) => {
    if (wantsEvents(c)) return events(c, await readQuery(c, 'sql'));
    const style = chosen(
      c,
      [
        { ...ARRAYS, type: DELIMITED, isArray: false },
        { ...ARRAYS, type: JSON_TYPE, isArray: true },
        { ...OBJECTS, type: KSQL_JSON, isArray: true },
      ],
      [DELIMITED, JSON_TYPE, KSQL_JSON],
    );
    return answer(c, style, 'sql');
  });

  app.get('/query-stream', (c) => {
    if (!wantsEvents(c)) throw refusal('NOT_ACCEPTABLE', 'send Accept: text/event-stream');
    const { sql, properties } = parametersOf(c, ['sql', 'properties', 'last_event_id']);
    const given = { sql, properties: parsed(properties) };
    return events(c, queryOf(given, 'sql'));
  });

  app.post('/close-query', async (c) => {
    const value = await readOrder(c);
    const queryId = isObject(value) ? value['queryId'] : undefined;
    if (typeof queryId !== 'string' || !(await closeQuery(queryId)))
      throw refusal('BAD_REQUEST', 'no push query of that id runs here');
    return c.json({});
  });
}

function accepts(c: EdgeContext, type: string): boolean {
  return (c.req.header('Accept') ?? '').toLowerCase().includes(type);
}

/** The first style whose type is accepted; the first of all when anything is. */
function chosen(c: EdgeContext, styles: readonly Style[], types: readonly string[]): Style {
  const accept = (c.req.header('Accept') ?? '*/*').toLowerCase();
  const index = accept.includes('*/*') ? 0 : types.findIndex((type) => accept.includes(type));
  const style = styles[index];
  if (style === undefined) throw refusal('NOT_ACCEPTABLE', `send Accept: ${types.join(', ')}`);
  return style;
}

async function answer(
  c: EdgeContext,
  style: Style,
  member: Parameters<typeof readScript>[1],
): Promise<Response> {
  const { script, token } = await readQuery(c, member);
  let query: RunningQuery | Printing;
  try {
    query = await startQuery(c.var.edge, script, token);
  } catch (thrown) {
    return errorResponse(thrown, { text: script.sql, entities: [] });
  }
  if (query.kind === 'print') {
    return new Response(linesOf(query), { headers: { 'Content-Type': PRINTED } });
  }
  return new Response(bodyOf(query, style), { headers: { 'Content-Type': style.type } });
}

/** The query as server-sent events. */
async function events(c: EdgeContext, { script, token }: QueryRequest): Promise<Response> {
  let query: RunningQuery;
  try {
    query = await startSelect(c.var.edge, script, lastEventId(c) ?? token);
  } catch (thrown) {
    return errorResponse(thrown, { text: script.sql, entities: [] });
  }
  const { isResumable } = query;
  return eventStream(queryEvents(query), { isResumable, onEnd: () => query.close() });
}

function parsed(properties: string | undefined): unknown {
  if (properties === undefined) return undefined;
  try {
    return JSON.parse(properties);
  } catch {
    throw refusal('BAD_REQUEST', '"properties" is not JSON');
  }
}

/** The elements as they come; when the client goes, or does not read, the query ends. */
function bodyOf(query: RunningQuery, style: Style): ReadableStream<Uint8Array> {
  return answers.stream({
    texts: elementsOf(query, style),
    failure: (thrown) =>
      elementText([style.failure(errorBody(thrown))], style, false) + endOf(style),
    onEnd: () => query.close(),
  });
}

/** Lines as they come; a failure is the last of them. When the client goes, or does not read, the printing ends. */
function linesOf(printing: Printing): ReadableStream<Uint8Array> {
  return answers.stream({
    texts: linesEnded(printing.lines),
    failure: (thrown) => `${JSON.stringify(errorBody(thrown))}\n`,
    onEnd: () => printing.close(),
  });
}

async function* linesEnded(lines: Printing['lines']): AsyncGenerator<string, void, undefined> {
  for await (const line of heard(lines, HEARTBEAT_MS)) yield `${line ?? ''}\n`;
}

/** Groups of elements that are sent together. A failure after the first is an element. */
async function* elementsOf(
  query: RunningQuery,
  style: Style,
): AsyncGenerator<string, void, undefined> {
  yield elementText([style.header(query)], style, true);
  const rows = query.rows();
  // Others come to their end by themselves.
  for await (const some of query.kind === 'push' ? heard(rows, HEARTBEAT_MS) : rows) {
    if (some === null) yield QUIET;
    else if (some.length > 0)
      yield elementText(
        some.map((row) => style.row(row)),
        style,
        false,
      );
  }
  const end = style.end(query);
  yield (end === null ? '' : elementText([end], style, false)) + endOf(style);
}

/** A line is whole as soon as it is sent: its reader need not wait for the next one. */
function elementText(elements: readonly string[], { isArray }: Style, isFirst: boolean): string {
  if (!isArray) return `${elements.join('\n')}\n`;
  return (isFirst ? '[' : ',\n') + elements.join(',\n');
}

function endOf({ isArray }: Style): string {
  return isArray ? ']\n' : '';
}
